// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToDoubleFunction;

/// What the runtime, the server and the JVM count, as Prometheus reads it. Nothing is measured here: the counters are
/// the runtime's own, and are read when somebody asks.
///
/// Threads: any may ask; a thread of its own does the work, as an event loop has better things to do.
final class Metrics implements AutoCloseable {
    private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final Millrace millrace;
    private final HttpCounters http;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final ExecutorService executor = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("millrace-metrics").factory());
    private final Map<Key, LaneStatistics> lanes = new HashMap<>();
    private final Set<Integer> statuses = new HashSet<>();

    private record Key(String model, long version) {}

    Metrics(Millrace millrace, HttpCounters http) {
        this.millrace = millrace;
        this.http = http;
        new ClassLoaderMetrics().bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
        for (MemoryTag tag : MemoryTag.values()) {
            Gauge.builder("millrace.native.memory", tag, NativeMemory::used)
                    .description("Native memory held by the runtime")
                    .baseUnit("bytes")
                    .tag("tag", lower(tag))
                    .register(registry);
        }
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(java.util.Locale.ROOT);
    }

    /// Answers an exchange with everything, later on its loop.
    void answer(Exchange exchange, Loop loop) {
        executor.execute(() -> {
            Page page = page();
            loop.executor().execute(() -> {
                exchange.answer(page);
                exchange.connection().advance();
            });
        });
    }

    private Page page() {
        try {
            return new Page(HttpStatus.OK, CONTENT_TYPE, null, scrape().getBytes(StandardCharsets.UTF_8));
        } catch (RuntimeException e) {
            return Loop.bug(e);
        }
    }

    private String scrape() {
        for (LaneStatistics statistics : millrace.statistics()) {
            Key key = new Key(statistics.model(), statistics.version());
            if (lanes.put(key, statistics) == null) {
                register(key);
            }
        }
        for (int status = 0; status < HttpCounters.LIMIT; status++) {
            if (http.answered(status) > 0 && statuses.add(status)) {
                register(status);
            }
        }
        return registry.scrape();
    }

    private void register(int status) {
        FunctionCounter.builder("millrace.http.requests", http, counters -> counters.answered(status))
                .description("HTTP requests by the status of their answers")
                .tag("status", Integer.toString(status))
                .register(registry);
    }

    private void register(Key key) {
        Tags tags = Tags.of("model", key.model(), "version", Long.toString(key.version()));
        counter("millrace.requests.accepted", "Requests that were given slots", tags, key, LaneStatistics::accepted);
        for (Outcome outcome : Outcome.values()) {
            Tags withOutcome = tags.and("outcome", lower(outcome));
            counter(
                    "millrace.requests.ended",
                    "Accepted requests by how they ended",
                    withOutcome,
                    key,
                    lane -> lane.ended().getOrDefault(outcome, 0L));
            counter(
                    "millrace.requests.refused",
                    "Requests not accepted",
                    withOutcome,
                    key,
                    lane -> lane.refused().getOrDefault(outcome, 0L));
        }
        counter("millrace.rows", "Rows run", tags, key, LaneStatistics::rows);
        counter("millrace.batches", "Runs of the model", tags, key, LaneStatistics::batches);
        counter("millrace.run.seconds", "Time spent in runs", tags, key, lane -> lane.runNanos() / 1e9);
        gauge("millrace.queue.rows", "Rows that wait for a run", tags, key, LaneStatistics::queued);
        gauge(
                "millrace.requests.in.flight",
                "Accepted requests that have not ended",
                tags,
                key,
                LaneStatistics::inFlight);
    }

    private void counter(String name, String help, Tags tags, Key key, ToDoubleFunction<LaneStatistics> value) {
        FunctionCounter.builder(name, lanes, all -> value.applyAsDouble(all.get(key)))
                .description(help)
                .tags(tags)
                .register(registry);
    }

    private void gauge(String name, String help, Tags tags, Key key, ToDoubleFunction<LaneStatistics> value) {
        Gauge.builder(name, lanes, all -> value.applyAsDouble(all.get(key)))
                .description(help)
                .tags(tags)
                .register(registry);
    }

    @Override
    public void close() {
        executor.shutdown();
        gc.close();
        registry.close();
    }
}
