// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import java.util.Arrays;

/// How often values of a tensor are where: bins of the same width over a range, and the two ways to choose
/// a smaller one.
///
/// Threads: one.
final class Histogram {
    /// As many integers as one sign of a byte has.
    private static final int QUANTIZED_BINS = 128;

    private static final double SMOOTHING = 1e-4;

    private final float[] edges;
    private final long[] counts;
    private final double from;
    private final double perUnit;

    /// @param from where the first bin begins
    /// @param to where the last one ends, which belongs to it
    Histogram(float from, float to, int bins) {
        boolean empty = from == to;
        double low = empty ? from - 0.5 : from;
        double high = empty ? to + 0.5 : to;
        this.from = low;
        this.perUnit = bins / (high - low);
        this.counts = new long[bins];
        this.edges = new float[bins + 1];
        for (int i = 0; i <= bins; i++) {
            edges[i] = i == bins ? (float) high : (float) (low + i * (high - low) / bins);
        }
    }

    /// Counts a value; what is outside, or no number, is not counted.
    void add(float value) {
        int last = counts.length - 1;
        if (!(value >= edges[0] && value <= edges[last + 1])) {
            return;
        }
        int bin = Math.clamp((int) ((value - from) * perUnit), 0, last);
        if (value < edges[bin]) {
            bin--;
        } else if (bin < last && value >= edges[bin + 1]) {
            bin++;
        }
        counts[bin]++;
    }

    /// The edge below which so many percent of the values are, or a bin less; of a histogram of magnitudes.
    float percentile(double percentile) {
        long total = Arrays.stream(counts).sum();
        double sum = 0;
        for (int i = 0; i < counts.length; i++) {
            sum += (double) counts[i] / total;
            if (sum >= percentile / 100) {
                return edges[i];
            }
        }
        return edges[counts.length];
    }

    /// The range around the middle whose 128 integers diverge least from how the values are spread.
    Range leastDivergence() {
        int middle = counts.length / 2;
        int half = QUANTIZED_BINS / 2;
        double least = Double.POSITIVE_INFINITY;
        int best = half;
        for (int i = half; i <= middle; i++) {
            double divergence = divergence(middle - i, Math.min(middle + i + 1, counts.length));
            if (divergence < least) {
                least = divergence;
                best = i;
            }
        }
        return new Range(edges[middle - best], edges[Math.min(middle + best + 1, counts.length)]);
    }

    private double divergence(int start, int end) {
        long[] slice = Arrays.copyOfRange(counts, start, end);
        long[] reference = slice.clone();
        for (int i = 0; i < start; i++) {
            reference[0] += counts[i];
        }
        for (int i = end; i < counts.length; i++) {
            reference[reference.length - 1] += counts[i];
        }
        double[] p = smooth(reference);
        double[] q = smooth(quantized(slice, reference));
        if (p.length == 0 || q.length == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double sumP = Arrays.stream(p).sum();
        double sumQ = Arrays.stream(q).sum();
        double divergence = 0;
        for (int i = 0; i < p.length; i++) {
            divergence += p[i] / sumP * Math.log(p[i] / sumP / (q[i] / sumQ));
        }
        return divergence;
    }

    /// What is left of the counts when groups of bins become one integer each: every bin of a group has the
    /// mean of those that are not empty, as a whole number.
    private static long[] quantized(long[] slice, long[] reference) {
        int merged = slice.length / QUANTIZED_BINS;
        long[] expanded = new long[slice.length];
        for (int group = 0; group < QUANTIZED_BINS; group++) {
            int start = group * merged;
            long sum = 0;
            int filled = 0;
            for (int i = start; i < start + merged; i++) {
                sum += slice[i];
                filled += reference[i] != 0 ? 1 : 0;
            }
            for (int i = QUANTIZED_BINS * merged; group == QUANTIZED_BINS - 1 && i < slice.length; i++) {
                sum += slice[i];
            }
            if (filled > 0) {
                Arrays.fill(expanded, start, start + merged, sum / filled);
            }
        }
        return expanded;
    }

    /// A little of what is there goes to where nothing is. Empty if nothing is anywhere.
    private static double[] smooth(long[] values) {
        long zeros = Arrays.stream(values).filter(value -> value == 0).count();
        long others = values.length - zeros;
        if (others == 0) {
            return new double[0];
        }
        double taken = SMOOTHING * zeros / others;
        double[] smooth = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            smooth[i] = (float) (values[i] == 0 ? SMOOTHING : values[i] - taken);
        }
        return smooth;
    }
}
