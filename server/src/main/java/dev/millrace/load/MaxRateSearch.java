// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.OptionalDouble;

/// Finds the highest rate that a server holds: doubles the rate until it does not, then halves the interval, by ratio,
/// until its ends are close. A rate counts as too high only if a second trial says so too: machines have bad moments.
///
/// Rates have three significant digits. Threads: one.
final class MaxRateSearch {
    private static final MathContext DIGITS = new MathContext(3);
    private static final double LOWEST = 0.1;
    private static final double HIGHEST = 1e7;

    /// One try of a rate.
    interface Trial {
        /// Whether the rate, per second, was held this time.
        boolean holds(double rate) throws LoadException, InterruptedException;
    }

    private final double precision;
    private final Trial trial;
    private double held;
    private double failed = Double.POSITIVE_INFINITY;

    /// @param precision how far apart, as a share, the highest rate held and the lowest not held may be
    MaxRateSearch(double precision, Trial trial) {
        this.precision = precision;
        this.trial = trial;
    }

    /// The highest rate that was held; nothing if none was.
    OptionalDouble find(double start) throws LoadException, InterruptedException {
        double rate = rounded(start);
        while (held == 0 && rate >= LOWEST && !holds(rate)) {
            rate = rounded(rate / 2);
        }
        if (held == 0) {
            return OptionalDouble.empty();
        }
        while (failed == Double.POSITIVE_INFINITY && held < HIGHEST) {
            holds(rounded(2 * held));
        }
        double middle = middle();
        while (failed > held * (1 + precision) && middle > held && middle < failed) {
            holds(middle);
            middle = middle();
        }
        return OptionalDouble.of(held);
    }

    private boolean holds(double rate) throws LoadException, InterruptedException {
        boolean holds = trial.holds(rate);
        if (!holds) {
            holds = trial.holds(rate); // by chance it may differ
        }
        if (holds) {
            held = rate;
        } else {
            failed = rate;
        }
        return holds;
    }

    private double middle() {
        return failed == Double.POSITIVE_INFINITY ? failed : rounded(Math.sqrt(held * failed));
    }

    private static double rounded(double rate) {
        return new BigDecimal(rate).round(DIGITS).doubleValue();
    }
}
