// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import java.util.function.IntConsumer;
import org.HdrHistogram.Histogram;

/// One thread that asks again as soon as it was answered, each time timed.
///
/// Threads: one. It allocates nothing while it times.
final class ClosedLoop {
    private static final long LONGEST_NANOS = 10_000_000_000L;

    /// Percentiles in nanoseconds.
    record Timing(double p50, double p99, double p999) {}

    private final int examples;
    private final Histogram histogram = new Histogram(LONGEST_NANOS, 3);

    /// @param fixture whose examples of one row are asked in turn
    ClosedLoop(Fixture fixture) {
        this.examples = fixture.examples().count(1);
    }

    /// Asks `contestant` for `nanos` nanoseconds.
    Timing time(Contestant contestant, long nanos) {
        return time((IntConsumer) contestant::run, nanos);
    }

    private Timing time(IntConsumer contestant, long nanos) {
        histogram.reset();
        long start = System.nanoTime();
        long before = start;
        int next = 0;
        do {
            contestant.accept(next);
            next = next + 1 == examples ? 0 : next + 1;
            long after = System.nanoTime();
            histogram.recordValue(Math.min(after - before, LONGEST_NANOS));
            before = System.nanoTime();
        } while (before - start < nanos);
        return new Timing(
                histogram.getValueAtPercentile(50),
                histogram.getValueAtPercentile(99),
                histogram.getValueAtPercentile(99.9));
    }
}
