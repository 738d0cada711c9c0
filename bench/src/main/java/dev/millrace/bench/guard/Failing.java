// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.promise.Percentiles;
import dev.millrace.bench.report.Section;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What rows that a model fails at cost their mates, and what a model that keeps failing costs others.
///
/// Threads: one, and those of [Bisection] and [Trouble]. Ownership: nothing.
public final class Failing {
    /// All that was found out.
    ///
    /// @param batches by how many rows of a batch were bad
    /// @param troubles of each repeat
    record Findings(String model, String light, Map<Integer, Batches> batches, List<Troubles> troubles) {}

    /// What came of batches with some bad rows, and of as many without, in turns.
    ///
    /// @param count how many
    /// @param answered good rows that were answered, rightly
    /// @param failedMates good rows that failed
    /// @param splits parts that were run in halves
    /// @param healthy how long a batch without bad rows took
    /// @param bad how long one with them took
    record Batches(int count, int answered, int failedMates, long splits, Percentiles healthy, Percentiles bad) {
        double ratio() {
            return (double) bad.p50() / healthy.p50();
        }
    }

    /// What came of a model that keeps failing.
    ///
    /// @param withBreaker whether it has one
    /// @param failedBefore requests that failed before the first that was refused
    /// @param probes requests that failed after it, by when, in nanoseconds from that
    /// @param refusals how long a refusal took
    /// @param goodAt when requests were good again
    /// @param answeredAt when the first of them was answered; 0 if none was
    /// @param opened how often the breaker opened, as the statistics have it
    /// @param openLater whether it was open afterwards
    /// @param alone how long the other model's answers took without it
    /// @param beside how long they took beside it
    record Troubles(
            boolean withBreaker,
            int failedBefore,
            List<Long> probes,
            Percentiles refusals,
            long goodAt,
            long answeredAt,
            long opened,
            boolean openLater,
            Percentiles alone,
            Percentiles beside) {
        Troubles {
            probes = List.copyOf(probes);
        }

        double ratio() {
            return (double) beside.p99() / alone.p99();
        }
    }

    private static final int BATCHES_PER_ROUND = 100;

    private final int rounds;
    private final PrintStream progress;

    /// @param rounds times a hundred batches, and times that a model is in trouble
    /// @param progress gets a line per trial
    public Failing(int rounds, PrintStream progress) {
        this.rounds = rounds;
        this.progress = progress;
    }

    /// Measures everything.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() {
        return new FailingReport(all(BATCHES_PER_ROUND * rounds, Trouble.BAD_NANOS));
    }

    /// @param count batches of each kind
    /// @param badNanos for how long a model fails after its breaker opened
    Findings all(int count, long badNanos) {
        Map<Integer, Batches> batches;
        try (Bisection bisection = new Bisection()) {
            batches = bisection.measure(count);
        }
        batches.forEach((bad, found) -> progress.printf(
                "failing: %d bad rows: %d of their mates failed, %.2f times the time%n",
                bad, found.failedMates(), found.ratio()));
        List<Troubles> troubles = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            for (boolean withBreaker : new boolean[] {true, false}) {
                try (Trouble trouble = new Trouble(withBreaker)) {
                    Troubles found = trouble.measure(badNanos);
                    troubles.add(found);
                    progress.printf(
                            "failing, round %d of %d, %s: p99 of the other model %,d ns alone, %,d ns beside%n",
                            round + 1,
                            rounds,
                            withBreaker ? "with a breaker" : "without",
                            found.alone().p99(),
                            found.beside().p99());
                }
            }
        }
        return new Findings(Bisection.MODEL, Trouble.LIGHT, batches, troubles);
    }
}
