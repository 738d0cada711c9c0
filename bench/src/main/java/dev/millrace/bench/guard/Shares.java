// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.promise.SelfFeeding;
import dev.millrace.bench.route.Fixture;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/// Two models of which each could take the one agent all of its time, and what they get by their weights. Their rows
/// cost differently, so that time and not rows is what is shared. Threads: one, and the runtime's.
final class Shares {
    /// Weights of the two models.
    record Weights(int first, int second) {
        /// The part of the time that is the first one's.
        double part() {
            return first / (double) (first + second);
        }
    }

    /// What one repeat found out.
    ///
    /// @param firstNanos time in the first model's runs
    /// @param secondNanos in the second one's
    /// @param firstRows rows of the first model per second
    /// @param secondRows of the second
    record Share(long firstNanos, long secondNanos, double firstRows, double secondRows) {
        /// The part of the time that the first one had.
        double part() {
            return firstNanos / (double) Math.max(1, firstNanos + secondNanos);
        }
    }

    static final String FIRST = BenchModels.STEADY;
    static final String SECOND = BenchModels.LARGE_MLP;
    private static final int IN_FLIGHT = 32;
    private static final int BATCH = 8;

    private Shares() {}

    static List<Weights> weights() {
        return List.of(new Weights(1, 1), new Weights(1, 3), new Weights(3, 1));
    }

    static Map<Weights, List<Share>> measure(int rounds, long nanos, PrintStream progress) {
        Map<Weights, List<Share>> shares = new LinkedHashMap<>();
        try (Fixture first = Fixture.open(BenchModels.named(FIRST));
                Fixture second = Fixture.open(BenchModels.named(SECOND))) {
            for (int round = 1; round <= rounds; round++) {
                for (Weights weights : weights()) {
                    Share share = measure(weights, first, second, nanos);
                    shares.computeIfAbsent(weights, _ -> new ArrayList<>()).add(share);
                    progress.printf(
                            "shares, round %d of %d: weights %d and %d: %.3f of the time is the first one's%n",
                            round, rounds, weights.first(), weights.second(), share.part());
                }
            }
        }
        return shares;
    }

    private static Share measure(Weights weights, Fixture first, Fixture second, long nanos) {
        ModelConfig config = ModelConfig.DEFAULT.withMaxBatchSize(BATCH);
        RuntimeConfig runtimeConfig = RuntimeConfig.DEFAULT
                .withAgents(1)
                .withModel(first.name(), config.withWeight(weights.first()))
                .withModel(second.name(), config.withWeight(weights.second()));
        try (Millrace runtime = Millrace.open(runtimeConfig, first.repository(), second.repository());
                SelfFeeding one = new SelfFeeding(runtime, first, IN_FLIGHT);
                SelfFeeding other = new SelfFeeding(runtime, second, IN_FLIGHT)) {
            one.start();
            other.start();
            pause(nanos / 2);
            LaneStatistics oneBefore = statistics(runtime, first);
            LaneStatistics otherBefore = statistics(runtime, second);
            long begin = System.nanoTime();
            pause(2 * nanos);
            LaneStatistics oneAfter = statistics(runtime, first);
            LaneStatistics otherAfter = statistics(runtime, second);
            double seconds = (System.nanoTime() - begin) / 1e9;
            one.stop();
            other.stop();
            return new Share(
                    oneAfter.runNanos() - oneBefore.runNanos(),
                    otherAfter.runNanos() - otherBefore.runNanos(),
                    (oneAfter.rows() - oneBefore.rows()) / seconds,
                    (otherAfter.rows() - otherBefore.rows()) / seconds);
        }
    }

    private static LaneStatistics statistics(Millrace runtime, Fixture fixture) {
        return runtime.statistics().stream()
                .filter(each -> each.model().equals(fixture.name()))
                .findFirst()
                .orElseThrow();
    }

    private static void pause(long nanos) {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
