// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.VersionMemory;
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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/// What the runtime, the server and the JVM count, in Prometheus' text format.
///
/// Threads: one at a time.
public final class RuntimeMetrics implements AutoCloseable {
    private static final int STATUS_LIMIT = 600;

    private final Millrace millrace;
    private final ServerFigures server;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final LatencyCollector latencies;
    private final Map<Key, LaneStatistics> lanes = new HashMap<>();
    private final Set<Key> memories = new HashSet<>();
    private final Set<Integer> statuses = new HashSet<>();

    private record Key(String model, long version) {}

    /// @param server what the server counts itself
    public RuntimeMetrics(Millrace millrace, ServerFigures server) {
        this.millrace = millrace;
        this.server = server;
        this.latencies = new LatencyCollector(millrace::recordings);
        new ClassLoaderMetrics().bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
        registry.getPrometheusRegistry().register(latencies);
        for (MemoryTag tag : List.of(MemoryTag.RING, MemoryTag.CALL, MemoryTag.ORT)) {
            bytes("millrace.native.memory", tag, NativeMemory::used, "Native memory held by the runtime")
                    .tag("tag", lower(tag))
                    .register(registry);
        }
        MemoryBudgets memory = millrace.memory();
        budget("models", memory.models(), MemoryTag.MODEL);
        budget("tensors", memory.tensors(), MemoryTag.RING, MemoryTag.CALL);
        budget("heap", memory.heap(), MemoryTag.CALL, MemoryTag.BODY, MemoryTag.ANSWER);
        register();
    }

    private void register() {
        Gauge.builder(
                        "millrace.http.clients",
                        server,
                        figures -> figures.clients().getAsLong())
                .description("Clients whose rows are counted one by one")
                .register(registry);
        Gauge.builder(
                        "millrace.http.connections",
                        server,
                        figures -> figures.connections().getAsLong())
                .description("Open HTTP connections")
                .register(registry);
        server.limited()
                .forEach((limit, count) -> FunctionCounter.builder(
                                "millrace.http.limited", count, LongSupplier::getAsLong)
                        .description("Requests refused and connections closed for a limit")
                        .tag("limit", limit)
                        .register(registry));
    }

    private void budget(String part, MemoryBudget budget, MemoryTag... tags) {
        bytes(
                        "millrace.memory.limit",
                        budget,
                        MemoryBudget::limit,
                        "The most that may be booked in a part of the memory")
                .tag("part", part)
                .register(registry);
        for (MemoryTag tag : tags) {
            bytes("millrace.memory.used", budget, all -> all.used(tag), "What is booked in a part of the memory")
                    .tags("part", part, "tag", lower(tag))
                    .register(registry);
        }
    }

    private static <T> Gauge.Builder<T> bytes(String name, T of, ToDoubleFunction<T> value, String help) {
        return Gauge.builder(name, of, value).description(help).baseUnit("bytes");
    }

    private void register(VersionMemory version) {
        Tags tags = Tags.of("model", version.model(), "version", Long.toString(version.version()));
        String help = "Memory that a model version has booked";
        bytes("millrace.model.memory", version.weights(), MemoryBudget::used, help)
                .tags(tags.and("tag", lower(MemoryTag.MODEL)))
                .register(registry);
        for (MemoryTag tag : List.of(MemoryTag.RING, MemoryTag.CALL)) {
            bytes("millrace.model.memory", version.tensors(), tensors -> tensors.used(tag), help)
                    .tags(tags.and("tag", lower(tag)))
                    .register(registry);
        }
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(java.util.Locale.ROOT);
    }

    /// To be called at a steady pace: quantiles are of the time since the last or last but one call.
    public void endPeriod() {
        latencies.endPeriod();
    }

    /// Everything, as it is now.
    public String scrape() {
        for (LaneStatistics statistics : millrace.statistics()) {
            Key key = new Key(statistics.model(), statistics.version());
            if (lanes.put(key, statistics) == null) {
                register(key);
            }
        }
        for (VersionMemory version : millrace.memoryOfModels()) {
            if (memories.add(new Key(version.model(), version.version()))) {
                register(version);
            }
        }
        for (int status = 0; status < STATUS_LIMIT; status++) {
            if (server.answers().applyAsLong(status) > 0 && statuses.add(status)) {
                register(status);
            }
        }
        return registry.scrape();
    }

    private void register(int status) {
        FunctionCounter.builder("millrace.http.requests", server.answers(), counts -> counts.applyAsLong(status))
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
        counter("millrace.rows.dead", "Rows run that nobody waited for any more", tags, key, LaneStatistics::deadRows);
        counter(
                "millrace.rows.skipped",
                "Queued rows that were not run because their requests had ended",
                tags,
                key,
                LaneStatistics::skippedRows);
        counter("millrace.batches", "Runs of the model", tags, key, LaneStatistics::batches);
        counter("millrace.run.seconds", "Time spent in runs", tags, key, lane -> lane.runNanos() / 1e9);
        protection(tags, key);
        gauge("millrace.queue.rows", "Rows that wait for a run", tags, key, LaneStatistics::queued);
        gauge(
                "millrace.requests.in.flight",
                "Accepted requests that have not ended",
                tags,
                key,
                LaneStatistics::inFlight);
    }

    private void protection(Tags tags, Key key) {
        counter(
                "millrace.requests.unmeetable",
                "Requests refused because their deadline could not be met",
                tags,
                key,
                LaneStatistics::unmeetable);
        counter(
                "millrace.batches.split",
                "Batches run again in halves because their run had failed",
                tags,
                key,
                LaneStatistics::splits);
        counter(
                "millrace.runs.terminated",
                "Runs ended early because nobody waited for them any more",
                tags,
                key,
                LaneStatistics::terminated);
        counter(
                "millrace.breaker.opened",
                "How often the model's runs kept failing",
                tags,
                key,
                LaneStatistics::breakerOpened);
        gauge(
                "millrace.breaker.open",
                "Whether requests are refused because the model keeps failing",
                tags,
                key,
                lane -> lane.breakerOpen() ? 1 : 0);
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
        gc.close();
        registry.close();
    }
}
