// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.Arrays;

/// How long a run takes. Immutable.
///
/// @param median the median of samples, in nanoseconds
/// @param low what a quarter of them does not exceed
/// @param high what three quarters do not exceed
/// @param samples how many there are
/// @param runs how many runs each of them is the mean of
public record Timing(double median, double low, double high, int samples, long runs) {
    static Timing of(double[] samples, long runs) {
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        return new Timing(at(sorted, 0.5), at(sorted, 0.25), at(sorted, 0.75), sorted.length, runs);
    }

    /// Between the two samples that are next to the place.
    private static double at(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
