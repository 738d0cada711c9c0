// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.ramp;

import dev.millrace.bench.route.Gate;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Offers rows to a model at times that do not depend on its answers: an open loop with exponential gaps. A row's
/// latency counts from when it was due, also if the producer came late.
///
/// Threads: one, which spins between rows; completions come on the runtime's. Ownership: it closes its calls.
final class Load implements AutoCloseable {
    /// What came of an offer.
    ///
    /// @param offered rows that were due
    /// @param answered rows that were answered
    /// @param p50 nanoseconds that half of the offered rows did not exceed
    /// @param p99 as `p50`, 99 of 100 rows
    /// @param good the part of the offered rows that was answered within the bound
    record Outcomes(int offered, int answered, long p50, long p99, double good) {}

    /// More than the queue and a run hold, so that there is always a free call unless the row would be refused.
    private static final int CALLS = 2048;

    private final float[][] rows;
    private final float[] expected;
    private final double tolerance;
    private final Flight[] flights;
    private long[] latencies = new long[1024];
    private int answered;

    /// @param rows what is asked, in turns
    /// @param expected the right answer to each row
    /// @param tolerance how far an answer may be from it, relative to it or to 1
    Load(Model model, float[][] rows, float[] expected, double tolerance) {
        this.rows = rows;
        this.expected = expected;
        this.tolerance = tolerance;
        this.flights = new Flight[CALLS];
        for (int i = 0; i < CALLS; i++) {
            flights[i] = new Flight(model.call());
        }
    }

    /// Offers rows for `nanos` nanoseconds and waits for the answers.
    ///
    /// @throws Gate.Refusal if an answer is wrong
    Outcomes offer(double rowsPerSecond, long nanos, long boundNanos, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        double meanGap = 1e9 / rowsPerSecond;
        answered = 0;
        int offered = 0;
        long start = System.nanoTime();
        double due = 0;
        while (due < nanos) {
            Flight flight = flights[offered % CALLS];
            long at = start + (long) due;
            while (System.nanoTime() - at < 0) {
                Thread.onSpinWait();
            }
            if (flight.collect()) {
                flight.take(at, offered % rows.length);
            }
            offered++;
            due -= Math.log(1 - random.nextDouble()) * meanGap;
        }
        for (Flight flight : flights) {
            while (!flight.collect()) {
                Thread.onSpinWait();
            }
        }
        return outcomes(offered, boundNanos);
    }

    private Outcomes outcomes(int offered, long boundNanos) {
        long[] sorted = Arrays.copyOf(latencies, answered);
        Arrays.sort(sorted);
        long good =
                Arrays.stream(sorted).filter(latency -> latency <= boundNanos).count();
        return new Outcomes(
                offered,
                answered,
                percentile(sorted, offered, 0.5),
                percentile(sorted, offered, 0.99),
                (double) good / offered);
    }

    /// Of all rows that were offered: one that was not answered is later than any.
    static long percentile(long[] sorted, int offered, double part) {
        int index = (int) Math.ceil(part * offered) - 1;
        return index < sorted.length ? sorted[Math.max(0, index)] : Long.MAX_VALUE;
    }

    @Override
    public void close() {
        for (Flight flight : flights) {
            flight.call.close();
        }
    }

    /// A call that is used again and again. `done` hands it back to the producer.
    private final class Flight implements Completion {
        private final Call call;
        private long due;
        private int row = -1;
        private long end;
        private Outcome outcome;
        private volatile boolean done = true;

        Flight(Call call) {
            this.call = call;
        }

        void take(long at, int index) {
            due = at;
            row = index;
            done = false;
            call.input(0).putFloats(rows[index]);
            if (call.submit(this) != Outcome.OK) {
                row = -1;
                done = true;
            }
        }

        @Override
        public void completed(Call ended, Outcome how) {
            end = System.nanoTime();
            outcome = how;
            done = true;
        }

        /// Whether it is free; takes note of the answer that it brought.
        boolean collect() {
            if (!done) {
                return false;
            }
            if (row >= 0) {
                check();
                note(end - due);
                row = -1;
            }
            return true;
        }

        private void check() {
            if (outcome != Outcome.OK) {
                throw new Gate.Refusal("a row was not answered: " + call.message(), null);
            }
            float answer = call.output(0).getFloat(0);
            if (Math.abs(answer - expected[row]) > tolerance * Math.max(1, Math.abs(expected[row]))) {
                throw new Gate.Refusal(
                        "row " + row + " was answered with " + answer + ", alone with " + expected[row], null);
            }
        }
    }

    private void note(long latency) {
        if (answered == latencies.length) {
            latencies = Arrays.copyOf(latencies, 2 * answered);
        }
        latencies[answered++] = latency;
    }
}
