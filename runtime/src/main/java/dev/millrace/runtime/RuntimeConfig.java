// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.time.Duration;

/// What a runtime may use. Immutable; start from [#DEFAULT] and change what matters.
///
/// @param agents threads that run what callers do not run themselves; default one per available processor
/// @param inlineBudget how long a calling thread may be kept busy with one batch, its own row and others'; a model that
///     is expected to take longer for one row is run by agents
/// @param maxBatch the most rows in one run
/// @param queueRows the most rows that wait per model version; more are refused as overloaded
/// @param queueBytes the most memory that the queue of one model version may take; it shortens the queue of large rows
/// @param intraOpThreads threads that ONNX Runtime may use in one run
/// @param recording whether latencies and batch sizes are recorded
/// @param drainTimeout how long closing waits for requests in flight before it terminates them
public record RuntimeConfig(
        int agents,
        Duration inlineBudget,
        int maxBatch,
        int queueRows,
        long queueBytes,
        int intraOpThreads,
        boolean recording,
        Duration drainTimeout) {
    /// The defaults.
    public static final RuntimeConfig DEFAULT = new RuntimeConfig(
            Runtime.getRuntime().availableProcessors(),
            Duration.ofNanos(50_000),
            128,
            1024,
            64L << 20,
            1,
            true,
            Duration.ofSeconds(30));

    /// Checks every value.
    public RuntimeConfig {
        atLeastOne("agents", agents);
        atLeastOne("maxBatch", maxBatch);
        atLeastOne("queueRows", queueRows);
        atLeastOne("queueBytes", queueBytes);
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
                count, inlineBudget, maxBatch, queueRows, queueBytes, intraOpThreads, recording, drainTimeout);
    }

    /// These values with another inline budget; zero leaves all runs to agents.
    public RuntimeConfig withInlineBudget(Duration budget) {
        return new RuntimeConfig(
                agents, budget, maxBatch, queueRows, queueBytes, intraOpThreads, recording, drainTimeout);
    }

    /// These values with another largest batch.
    public RuntimeConfig withMaxBatch(int rows) {
        return new RuntimeConfig(
                agents, inlineBudget, rows, queueRows, queueBytes, intraOpThreads, recording, drainTimeout);
    }

    /// These values with another queue length in rows, rounded down to a power of two.
    public RuntimeConfig withQueueRows(int rows) {
        return new RuntimeConfig(
                agents, inlineBudget, maxBatch, rows, queueBytes, intraOpThreads, recording, drainTimeout);
    }

    /// These values with or without recording of latencies and batch sizes.
    public RuntimeConfig withRecording(boolean on) {
        return new RuntimeConfig(
                agents, inlineBudget, maxBatch, queueRows, queueBytes, intraOpThreads, on, drainTimeout);
    }

    /// These values with another number of threads in one run.
    public RuntimeConfig withIntraOpThreads(int threads) {
        return new RuntimeConfig(
                agents, inlineBudget, maxBatch, queueRows, queueBytes, threads, recording, drainTimeout);
    }

    /// These values with another drain timeout.
    public RuntimeConfig withDrainTimeout(Duration timeout) {
        return new RuntimeConfig(
                agents, inlineBudget, maxBatch, queueRows, queueBytes, intraOpThreads, recording, timeout);
    }
}
