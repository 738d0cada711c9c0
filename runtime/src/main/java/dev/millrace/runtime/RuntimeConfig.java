// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.features.FeatureSource;
import dev.millrace.features.StoreSource;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.model.ModelConfig;
import dev.millrace.plan.LanePlan;
import dev.millrace.remote.RemoteSource;
import dev.millrace.remote.RemoteStore;
import dev.millrace.store.FeatureStore;
import dev.millrace.version.TrialLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// What a runtime may use. Immutable; start from [#DEFAULT] and change what matters.
///
/// @param agents threads that run what callers do not run themselves; [#AUTO_AGENTS] for one per processor that the JVM
///     may use (a container's CPU limit counts), less the threads that sessions keep of their own
/// @param inlineBudget how long a calling thread may be kept busy with one batch, its own row and others'; a model that
///     is expected to take longer for one row is run by agents
/// @param maxBatch the most rows in one run, for models that do not say
/// @param queueRows the most rows that wait per model version, for models that do not say; more are refused as
/// overloaded
/// @param queueBytes the most memory that the queue of one model version may take; it shortens the queue of large rows
/// @param memoryBytes the most native memory that models, their runs and the tensors of requests may take together;
///     [#AUTO_MEMORY] for what the container's or the machine's memory leaves when the JVM has taken all that it may.
///     Loads and requests that do not fit are refused. What runs compute in between is not seen here:
///     [dev.millrace.ort.OrtRuntime#limitAllocations(long)] limits it for the whole process
/// @param responseCacheBytes the most native memory that answers may take which are kept for models that say so, of all
///     models together; no more than a quarter of what tensors may take, and none while no model says so
/// @param intraOpThreads threads that ONNX Runtime may use in one run, for models that do not say
/// @param recording whether latencies and batch sizes are recorded
/// @param drainTimeout how long closing waits for requests in flight before it terminates them
/// @param startUpModels the models that are loaded at the start, by name; unless given all that are there. "*" stands
///     for all, too. Others can be loaded by [ModelLifecycle#load(String)]
/// @param trial what a model may take: before it is loaded it is tried in a process of its own, with these limits
///     ([dev.millrace.version.ModelTrial]); unless given it is not
/// @param trialRecord the folder that names what passed its trial ([dev.millrace.version.TrialRecord]) and is not tried
///     again at the next start; unless given it is
/// @param graphCache the folder where optimised graphs are kept ([dev.millrace.version.GraphCache]); unless given they
///     are not
/// @param goldenCheck whether versions have to answer the goldens that they bring before they serve
///     ([dev.millrace.version.Goldens])
/// @param featureStore where the stored values of models are that have a specification of features; unless given such
///     models are not loaded. It stays its owner's, who closes it after the runtime
/// @param remoteStore where views are that the store of features does not have: far away, so that what requests need is
///     fetched first. It stays its owner's, too
/// @param models by name, how models are to be served; what is left open here, their `config.pbtxt` says
public record RuntimeConfig(
        int agents,
        Duration inlineBudget,
        int maxBatch,
        int queueRows,
        long queueBytes,
        long memoryBytes,
        long responseCacheBytes,
        int intraOpThreads,
        boolean recording,
        Duration drainTimeout,
        Optional<Set<String>> startUpModels,
        Optional<TrialLimits> trial,
        Optional<Path> trialRecord,
        Optional<Path> graphCache,
        boolean goldenCheck,
        Optional<FeatureStore> featureStore,
        Optional<RemoteStore> remoteStore,
        Map<String, ModelConfig> models) {
    /// As many agents as there is room for.
    public static final int AUTO_AGENTS = 0;

    /// As much native memory as the JVM leaves.
    public static final long AUTO_MEMORY = MemoryPlan.AUTO;

    /// The defaults.
    public static final RuntimeConfig DEFAULT = new RuntimeConfig(
            AUTO_AGENTS,
            Duration.ofNanos(50_000),
            128,
            1024,
            64L << 20,
            AUTO_MEMORY,
            64L << 20,
            1,
            true,
            Duration.ofSeconds(30),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            true,
            Optional.empty(),
            Optional.empty(),
            Map.of());

    /// Checks every value.
    public RuntimeConfig {
        startUpModels = startUpModels.map(Set::copyOf);
        models = Map.copyOf(models);
        if (agents < 0) {
            throw new IllegalArgumentException("agents must be at least 1, or 0 for as many as fit, was " + agents);
        }
        atLeastOne("maxBatch", maxBatch);
        atLeastOne("queueRows", queueRows);
        atLeastOne("queueBytes", queueBytes);
        if (memoryBytes < 0) {
            throw new IllegalArgumentException(
                    "memoryBytes must be at least 1, or 0 for as much as the JVM leaves, was " + memoryBytes);
        }
        atLeastOne("responseCacheBytes", responseCacheBytes);
        atLeastOne("intraOpThreads", intraOpThreads);
        if (inlineBudget.isNegative() || drainTimeout.isNegative()) {
            throw new IllegalArgumentException(
                    "inlineBudget " + inlineBudget + " and drainTimeout " + drainTimeout + " must not be negative");
        }
    }

    private static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, was " + value);
        }
    }

    /// These values with another number of agents.
    public RuntimeConfig withAgents(int count) {
        return with(values -> values.agents = count);
    }

    /// These values with another inline budget; zero leaves all runs to agents.
    public RuntimeConfig withInlineBudget(Duration budget) {
        return with(values -> values.inlineBudget = budget);
    }

    /// These values with another largest batch.
    public RuntimeConfig withMaxBatch(int rows) {
        return with(values -> values.maxBatch = rows);
    }

    /// These values with another queue length in rows, rounded down to a power of two.
    public RuntimeConfig withQueueRows(int rows) {
        return with(values -> values.queueRows = rows);
    }

    /// These values with another bound for the memory of one queue.
    public RuntimeConfig withQueueBytes(long bytes) {
        return with(values -> values.queueBytes = bytes);
    }

    /// These values with another limit for native memory.
    public RuntimeConfig withMemoryBytes(long bytes) {
        return with(values -> values.memoryBytes = bytes);
    }

    /// These values with another bound for the memory of the answers that are kept.
    public RuntimeConfig withResponseCacheBytes(long bytes) {
        return with(values -> values.responseCacheBytes = bytes);
    }

    /// These values with another number of threads in one run.
    public RuntimeConfig withIntraOpThreads(int threads) {
        return with(values -> values.intraOpThreads = threads);
    }

    /// These values with or without recording of latencies and batch sizes.
    public RuntimeConfig withRecording(boolean on) {
        return with(values -> values.recording = on);
    }

    /// These values with another drain timeout.
    public RuntimeConfig withDrainTimeout(Duration timeout) {
        return with(values -> values.drainTimeout = timeout);
    }

    /// These values with the models that are loaded at the start: none if `names` is empty, all if it is null or has
    /// "*".
    public RuntimeConfig withStartUpModels(Set<String> names) {
        return with(values -> values.startUpModels = Optional.ofNullable(names));
    }

    /// These values with a trial, in a process of its own, of every model before it is loaded; null: without.
    public RuntimeConfig withTrial(TrialLimits limits) {
        return with(values -> values.trial = Optional.ofNullable(limits));
    }

    /// These values with a folder where it is kept what passed its trial; null: without.
    public RuntimeConfig withTrialRecord(Path folder) {
        return with(values -> values.trialRecord = Optional.ofNullable(folder));
    }

    /// These values with a folder where optimised graphs are kept; null: without.
    public RuntimeConfig withGraphCache(Path folder) {
        return with(values -> values.graphCache = Optional.ofNullable(folder));
    }

    /// These values with or without the check of what versions answer to their goldens.
    public RuntimeConfig withGoldenCheck(boolean on) {
        return with(values -> values.goldenCheck = on);
    }

    /// These values with a store of features; null: without.
    public RuntimeConfig withFeatureStore(FeatureStore store) {
        return with(values -> values.featureStore = Optional.ofNullable(store));
    }

    /// These values with a store of features that is far away; null: without.
    public RuntimeConfig withRemoteStore(RemoteStore store) {
        return with(values -> values.remoteStore = Optional.ofNullable(store));
    }

    /// These values with another way to serve the model called `name`.
    public RuntimeConfig withModel(String name, ModelConfig model) {
        Map<String, ModelConfig> all = new HashMap<>(models);
        all.put(name, model);
        return with(values -> values.models = all);
    }

    /// Whether a model is loaded at the start.
    boolean loadsAtStart(String model) {
        return startUpModels.isEmpty()
                || startUpModels.get().contains(model)
                || startUpModels.get().contains("*");
    }

    /// Where stored values come from.
    FeatureSource features() {
        return remoteStore
                .<FeatureSource>map(remote -> new RemoteSource(featureStore.orElse(null), remote))
                .orElseGet(
                        () -> featureStore.<FeatureSource>map(StoreSource::new).orElse(FeatureSource.NONE));
    }

    /// What counts where a model leaves something open.
    LanePlan.Defaults defaults() {
        return new LanePlan.Defaults(maxBatch, queueRows, queueBytes, intraOpThreads);
    }

    private RuntimeConfig with(Consumer<Values> change) {
        Values values = new Values(this);
        change.accept(values);
        return values.config();
    }

    /// The values while they are changed.
    private static final class Values {
        private int agents;
        private Duration inlineBudget;
        private int maxBatch;
        private int queueRows;
        private long queueBytes;
        private long memoryBytes;
        private long responseCacheBytes;
        private int intraOpThreads;
        private boolean recording;
        private Duration drainTimeout;
        private Optional<Set<String>> startUpModels;
        private Optional<TrialLimits> trial;
        private Optional<Path> trialRecord;
        private Optional<Path> graphCache;
        private boolean goldenCheck;
        private Optional<FeatureStore> featureStore;
        private Optional<RemoteStore> remoteStore;
        private Map<String, ModelConfig> models;

        Values(RuntimeConfig from) {
            agents = from.agents;
            inlineBudget = from.inlineBudget;
            maxBatch = from.maxBatch;
            queueRows = from.queueRows;
            queueBytes = from.queueBytes;
            memoryBytes = from.memoryBytes;
            responseCacheBytes = from.responseCacheBytes;
            intraOpThreads = from.intraOpThreads;
            recording = from.recording;
            drainTimeout = from.drainTimeout;
            startUpModels = from.startUpModels;
            trial = from.trial;
            trialRecord = from.trialRecord;
            graphCache = from.graphCache;
            goldenCheck = from.goldenCheck;
            featureStore = from.featureStore;
            remoteStore = from.remoteStore;
            models = from.models;
        }

        RuntimeConfig config() {
            return new RuntimeConfig(
                    agents,
                    inlineBudget,
                    maxBatch,
                    queueRows,
                    queueBytes,
                    memoryBytes,
                    responseCacheBytes,
                    intraOpThreads,
                    recording,
                    drainTimeout,
                    startUpModels,
                    trial,
                    trialRecord,
                    graphCache,
                    goldenCheck,
                    featureStore,
                    remoteStore,
                    models);
        }
    }
}
