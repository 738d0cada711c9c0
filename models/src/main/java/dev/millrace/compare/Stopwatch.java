// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.Arrays;
import java.util.function.LongSupplier;

/// Takes the times of runs, those of all who are compared by turns: what slows the machine down for a while is in all.
/// Threads: one.
final class Stopwatch {
    private static final long WARM_UP_NANOS = 200_000_000;
    private static final int WARM_UP_RUNS = 5;
    private static final double SAMPLE_NANOS = 2_000_000;
    private static final double TOTAL_NANOS = 2_000_000_000;
    private static final int MOST_SAMPLES = 101;
    private static final int LEAST_SAMPLES = 7;

    private final LongSupplier clock;

    /// @param clock tells nanoseconds
    Stopwatch(LongSupplier clock) {
        this.clock = clock;
    }

    /// Times each of the runs.
    Timing[] time(Runnable... runs) {
        double[] expected = Arrays.stream(runs).mapToDouble(this::warmUp).toArray();
        double slowest = Math.max(1, Arrays.stream(expected).max().orElse(1));
        long[] repeats = Arrays.stream(expected)
                .mapToLong(nanos -> Math.max(1, (long) (SAMPLE_NANOS / Math.max(1, nanos))))
                .toArray();
        int samples = Math.clamp((long) (TOTAL_NANOS / Math.max(SAMPLE_NANOS, slowest)), LEAST_SAMPLES, MOST_SAMPLES);
        double[][] times = new double[runs.length][samples];
        for (int sample = 0; sample < samples; sample++) {
            for (int turn = 0; turn < runs.length; turn++) {
                int who = sample % 2 == 0 ? turn : runs.length - 1 - turn;
                times[who][sample] = sample(runs[who], repeats[who]);
            }
        }
        Timing[] timings = new Timing[runs.length];
        Arrays.setAll(timings, i -> Timing.of(times[i], repeats[i]));
        return timings;
    }

    /// Runs for a while; what a run takes in the end, about.
    private double warmUp(Runnable run) {
        long begin = clock.getAsLong();
        long last = begin;
        double fastest = Double.MAX_VALUE;
        for (int i = 0; i < WARM_UP_RUNS || last - begin < WARM_UP_NANOS; i++) {
            run.run();
            long now = clock.getAsLong();
            fastest = Math.min(fastest, (double) (now - last));
            last = now;
        }
        return fastest;
    }

    private double sample(Runnable run, long repeats) {
        long begin = clock.getAsLong();
        for (long i = 0; i < repeats; i++) {
            run.run();
        }
        return (clock.getAsLong() - begin) / (double) repeats;
    }
}
