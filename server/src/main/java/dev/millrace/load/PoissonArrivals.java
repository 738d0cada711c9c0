// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.SplittableRandom;

/// Times at which requests are due: a Poisson process, its gaps independent and exponential. The same seed gives the
/// same gaps, stretched by the rate.
///
/// Threads: one.
final class PoissonArrivals {
    private final SplittableRandom random;
    private final double meanGapNanos;
    private double last;

    /// @param rate arrivals per second
    PoissonArrivals(double rate, long seed) {
        if (!(rate > 0)) {
            throw new IllegalArgumentException("the rate must be above 0, was " + rate);
        }
        this.random = new SplittableRandom(seed);
        this.meanGapNanos = 1e9 / rate;
    }

    /// The next arrival, in nanoseconds from the start.
    long next() {
        last -= meanGapNanos * Math.log(1 - random.nextDouble()); // of (0, 1]
        return (long) last;
    }
}
