// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import dev.millrace.cache.ResponseCache;
import dev.millrace.manage.Management;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.VersionMemory;
import dev.millrace.redis.RedisStore;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.update.Feeds;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.ArrayList;
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
    /// The code of gRPC whose series is there from the beginning.
    private static final String OK = "OK";

    private static final int STATUS_LIMIT = 600;

    private final Millrace millrace;
    private final ServerFigures server;
    private final Management management;
    private final Feeds feeds;
    private final ModelMetrics models = new ModelMetrics();
    /// Null if there is none.
    private final RedisStore redis;
    private final RedisMetrics features = new RedisMetrics();
    private final FeedMetrics updates = new FeedMetrics();
    private final TritonMetrics triton = new TritonMetrics();
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final LatencyCollector latencies;
    private final Map<Key, LaneStatistics> lanes = new HashMap<>();
    private final Map<Key, VersionMemory> memories = new HashMap<>();
    /// What there is of each model version, to be taken away with it.
    private final Map<Key, List<Meter>> ofLanes = new HashMap<>();

    private final Map<Key, List<Meter>> ofMemories = new HashMap<>();
    private final Set<Integer> statuses = new HashSet<>();
    private final Set<String> codes = new HashSet<>();

    private record Key(String model, long version) {}

    /// @param server what the server counts itself
    /// @param management has the statistics that Triton's metrics are made of
    /// @param feeds what keeps the feature store up to date
    /// @param redis a feature store there, or null
    public RuntimeMetrics(
            Millrace millrace, ServerFigures server, Management management, Feeds feeds, RedisStore redis) {
        this.millrace = millrace;
        this.server = server;
        this.management = management;
        this.feeds = feeds;
        this.redis = redis;
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
        budget("tensors", memory.tensors(), MemoryTag.RING, MemoryTag.CALL, MemoryTag.CACHE);
        budget("heap", memory.heap(), MemoryTag.CALL, MemoryTag.BODY, MemoryTag.ANSWER);
        register();
        register(millrace.responseCache());
        registerTraces();
    }

    private void register(ResponseCache cache) {
        bytes("millrace.cache.limit", cache, ResponseCache::limitBytes, "The most that the response cache may take")
                .register(registry);
        bytes("millrace.cache.used", cache, ResponseCache::usedBytes, "What the answers in the response cache take")
                .register(registry);
        Gauge.builder("millrace.cache.entries", cache, ResponseCache::entries)
                .description("Answers in the response cache")
                .register(registry);
        FunctionCounter.builder("millrace.cache.evictions", cache, ResponseCache::evictions)
                .description("Answers that left the response cache to make room for others")
                .register(registry);
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

    private void registerTraces() {
        FunctionCounter.builder("millrace.traces.written", management, Management::tracesWritten)
                .description("Traces of requests that are in files")
                .register(registry);
        FunctionCounter.builder("millrace.traces.dropped", management, Management::tracesDropped)
                .description("Traces of requests that there was no room for")
                .register(registry);
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
        List<Meter> meters = new ArrayList<>();
        meters.add(bytes("millrace.model.memory", version.weights(), MemoryBudget::used, help)
                .tags(tags.and("tag", lower(MemoryTag.MODEL)))
                .register(registry));
        for (MemoryTag tag : List.of(MemoryTag.RING, MemoryTag.CALL)) {
            meters.add(bytes("millrace.model.memory", version.tensors(), tensors -> tensors.used(tag), help)
                    .tags(tags.and("tag", lower(tag)))
                    .register(registry));
        }
        ofMemories.put(new Key(version.model(), version.version()), meters);
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
        List<LaneStatistics> now = millrace.statistics();
        follow(now);
        followMemory();
        for (int status = 0; status < STATUS_LIMIT; status++) {
            if (server.answers().applyAsLong(status) > 0 && statuses.add(status)) {
                register(status);
            }
        }
        server.calls().forEach((code, count) -> {
            if ((code.equals(OK) || count.getAsLong() > 0) && codes.add(code)) {
                register(code, count);
            }
        });
        return registry.scrape()
                + models.text(millrace.status(), millrace.lifecycle().changes(), millrace.totals(), millrace.features())
                + features.text(redis)
                + updates.text(feeds.statistics(), System.currentTimeMillis())
                + triton.text(management.statistics(), now);
    }

    /// Models come and go.
    private void follow(List<LaneStatistics> now) {
        Set<Key> gone = new HashSet<>(lanes.keySet());
        for (LaneStatistics statistics : now) {
            Key key = new Key(statistics.model(), statistics.version());
            gone.remove(key);
            if (lanes.put(key, statistics) == null) {
                register(key);
            }
        }
        for (Key key : gone) {
            ofLanes.remove(key).forEach(registry::remove);
            lanes.remove(key);
        }
    }

    private void followMemory() {
        Map<Key, VersionMemory> now = new HashMap<>();
        millrace.memoryOfModels().forEach(version -> now.put(new Key(version.model(), version.version()), version));
        for (Key key : Set.copyOf(memories.keySet())) {
            // A version that was loaded anew has budgets of its own.
            if (now.get(key) == null
                    || now.get(key).weights() != memories.get(key).weights()) {
                ofMemories.remove(key).forEach(registry::remove);
                memories.remove(key);
            }
        }
        now.forEach((key, version) -> {
            if (memories.put(key, version) == null) {
                register(version);
            }
        });
    }

    private void register(String code, LongSupplier count) {
        FunctionCounter.builder("millrace.grpc.requests", count, LongSupplier::getAsLong)
                .description("calls of gRPC by the code that they ended with")
                .tag("code", code)
                .register(registry);
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
        cache(tags, key);
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

    private void cache(Tags tags, Key key) {
        counter(
                "millrace.cache.hits",
                "Requests answered from the response cache",
                tags,
                key,
                LaneStatistics::cacheHits);
        counter(
                "millrace.cache.misses",
                "Requests that the response cache had no answer for",
                tags,
                key,
                LaneStatistics::cacheMisses);
        counter(
                "millrace.cache.hit.seconds",
                "Time spent on finding answers in the response cache",
                tags,
                key,
                lane -> lane.cacheHitNanos() / 1e9);
        counter(
                "millrace.cache.miss.seconds",
                "Time spent on looking for answers in vain, and on keeping them",
                tags,
                key,
                lane -> lane.cacheMissNanos() / 1e9);
    }

    private void counter(String name, String help, Tags tags, Key key, ToDoubleFunction<LaneStatistics> value) {
        ofLanes.computeIfAbsent(key, _ -> new ArrayList<>())
                .add(FunctionCounter.builder(name, lanes, all -> value.applyAsDouble(all.get(key)))
                        .description(help)
                        .tags(tags)
                        .register(registry));
    }

    private void gauge(String name, String help, Tags tags, Key key, ToDoubleFunction<LaneStatistics> value) {
        ofLanes.computeIfAbsent(key, _ -> new ArrayList<>())
                .add(Gauge.builder(name, lanes, all -> value.applyAsDouble(all.get(key)))
                        .description(help)
                        .tags(tags)
                        .register(registry));
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}
