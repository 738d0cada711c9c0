// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.MemoryPlan;
import dev.millrace.model.ModelConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

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
/// @param intraOpThreads threads that ONNX Runtime may use in one run, for models that do not say
/// @param recording whether latencies and batch sizes are recorded
/// @param drainTimeout how long closing waits for requests in flight before it terminates them
/// @param models by name, how models are to be served; what is left open here, their `config.pbtxt` says
public record RuntimeConfig(
        int agents,
        Duration inlineBudget,
        int maxBatch,
        int queueRows,
        long queueBytes,
        long memoryBytes,
        int intraOpThreads,
        boolean recording,
        Duration drainTimeout,
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
            1,
            true,
            Duration.ofSeconds(30),
            Map.of());

    /// Checks every value.
    public RuntimeConfig {
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
        return new RuntimeConfig(
                count,
                inlineBudget,
                maxBatch,
                queueRows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another inline budget; zero leaves all runs to agents.
    public RuntimeConfig withInlineBudget(Duration budget) {
        return new RuntimeConfig(
                agents,
                budget,
                maxBatch,
                queueRows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another largest batch.
    public RuntimeConfig withMaxBatch(int rows) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                rows,
                queueRows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another queue length in rows, rounded down to a power of two.
    public RuntimeConfig withQueueRows(int rows) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                rows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another bound for the memory of one queue.
    public RuntimeConfig withQueueBytes(long bytes) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                queueRows,
                bytes,
                memoryBytes,
                intraOpThreads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another limit for native memory.
    public RuntimeConfig withMemoryBytes(long bytes) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                queueRows,
                queueBytes,
                bytes,
                intraOpThreads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another way to serve the model called `name`.
    public RuntimeConfig withModel(String name, ModelConfig model) {
        Map<String, ModelConfig> all = new HashMap<>(models);
        all.put(name, model);
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                queueRows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                recording,
                drainTimeout,
                all);
    }

    /// These values with or without recording of latencies and batch sizes.
    public RuntimeConfig withRecording(boolean on) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                queueRows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                on,
                drainTimeout,
                models);
    }

    /// These values with another number of threads in one run.
    public RuntimeConfig withIntraOpThreads(int threads) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                queueRows,
                queueBytes,
                memoryBytes,
                threads,
                recording,
                drainTimeout,
                models);
    }

    /// These values with another drain timeout.
    public RuntimeConfig withDrainTimeout(Duration timeout) {
        return new RuntimeConfig(
                agents,
                inlineBudget,
                maxBatch,
                queueRows,
                queueBytes,
                memoryBytes,
                intraOpThreads,
                recording,
                timeout,
                models);
    }
}
