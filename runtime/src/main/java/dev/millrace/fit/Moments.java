// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

/// Mean and variance of numbers as they come, by Welford's recurrence, whose terms do not cancel out.
///
/// Threads: one.
final class Moments {
    private static final double EPSILON = 0x1p-52;

    private long count;
    private double mean;
    /// The error of the mean's last roundings, which the next step takes back.
    private double lost;

    private double squares;

    void add(double x) {
        count++;
        double before = (x - mean) - lost;
        double step = before / count;
        double sum = step + lost;
        double next = mean + sum;
        lost = sum - (next - mean);
        mean = next;
        squares += before * ((x - mean) - lost);
    }

    long count() {
        return count;
    }

    double mean() {
        return mean + lost;
    }

    /// The standard deviation; 0 where what there is may be rounding alone, as in scikit-learn.
    ///
    /// @param ddof what is taken from the count to divide by
    double std(int ddof) {
        double variance = squares / Math.max(1, count);
        double rounding = count * EPSILON * variance + square(count * mean * EPSILON);
        return variance <= rounding || count <= ddof ? 0 : Math.sqrt(squares / (count - ddof));
    }

    private static double square(double x) {
        return x * x;
    }
}
