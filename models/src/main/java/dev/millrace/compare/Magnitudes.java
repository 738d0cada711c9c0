// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

/// Counts sizes of differences in buckets that are 0.4 % wide, so that any number of them takes the same memory.
/// Threads: one.
final class Magnitudes {
    private static final int SHIFT = 15;
    private static final int BUCKETS = (Float.floatToRawIntBits(Float.MAX_VALUE) >>> SHIFT) + 1;

    private final long[] counts = new long[BUCKETS];
    private long count;
    private double sum;
    private double max;

    /// Adds one, which is finite and not negative.
    void add(double size) {
        counts[bucket(size)]++;
        count++;
        sum += size;
        max = Math.max(max, size);
    }

    private static int bucket(double size) {
        return Float.floatToRawIntBits((float) Math.min(size, Float.MAX_VALUE)) >>> SHIFT;
    }

    long count() {
        return count;
    }

    /// The largest; NaN if there are none, as the others are.
    double max() {
        return count == 0 ? Double.NaN : max;
    }

    double mean() {
        return count == 0 ? Double.NaN : sum / count;
    }

    /// The size that so many percent do not exceed, up to the width of a bucket.
    double percentile(double percent) {
        if (count == 0) {
            return Double.NaN;
        }
        long wanted = Math.max(1, (long) Math.ceil(percent / 100 * count));
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts[i];
            if (seen >= wanted) {
                return i == 0 ? 0 : Math.min(max, upper(i));
            }
        }
        return max;
    }

    private static double upper(int bucket) {
        return Float.intBitsToFloat(((bucket + 1) << SHIFT) - 1);
    }

    /// How many but zeros are of the decade that begins with a power of ten, up to the width of a bucket:
    /// [10^exponent, 10^(exponent + 1)).
    long inDecade(int exponent) {
        int from = Math.max(1, bucket(Math.pow(10, exponent))); // the first bucket is zero
        double end = Math.pow(10, exponent + 1.0);
        int to = end < Float.MAX_VALUE ? bucket(end) : BUCKETS;
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += counts[i];
        }
        return sum;
    }
}
