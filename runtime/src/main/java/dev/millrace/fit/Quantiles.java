// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Quantiles of numbers as they come: exact for up to [#EXACT] of them, and beyond that within a
/// bounded rank, in bounded memory.
///
/// Beyond that, full buffers of sorted numbers are merged two by two, and every other number of both
/// stays, with twice the weight; which of the two is the first one's turn alternates. A merge of
/// numbers of weight w moves a rank by w at most, so with n numbers and L levels of buffers a rank is
/// off by n·L / (2·[#BUFFER]) at most: 0.005 % of a billion. The same numbers in the same order give
/// the same.
///
/// Threads: one. Memory: 8 bytes for each number up to [#EXACT], and then 1 MiB for each level.
public final class Quantiles {
    /// How many numbers are kept as they are.
    static final int EXACT = 1 << 20;
    /// How many numbers a buffer has beyond that.
    static final int BUFFER = 1 << 17;

    private static final int FIRST = 1 << 10;

    private final int exact;
    private final int bufferSize;
    /// The numbers that came last, of weight 1.
    private double[] newest = new double[FIRST];

    private int fill;
    private long count;
    /// Sorted buffers of weight 2^i, or null; none while all numbers are kept.
    private final List<double[]> levels = new ArrayList<>();

    private final List<Boolean> turns = new ArrayList<>();
    private boolean all = true;
    private double least = Double.POSITIVE_INFINITY;
    private double greatest = Double.NEGATIVE_INFINITY;

    /// None have come yet.
    public Quantiles() {
        this(EXACT, BUFFER);
    }

    /// @param exact a multiple of the buffer's size
    Quantiles(int exact, int bufferSize) {
        this.exact = exact;
        this.bufferSize = bufferSize;
    }

    /// Takes another number.
    public void add(double x) {
        if (fill == newest.length || fill == (all ? exact : bufferSize)) {
            makeRoom();
        }
        newest[fill++] = x;
        least = Math.min(least, x);
        greatest = Math.max(greatest, x);
        count++;
    }

    private void makeRoom() {
        if (all && fill < exact) {
            newest = Arrays.copyOf(newest, Math.min(exact, 2 * fill));
            return;
        }
        all = false;
        for (int start = 0; start < fill; start += bufferSize) {
            double[] buffer = Arrays.copyOfRange(newest, start, start + bufferSize);
            Arrays.sort(buffer);
            carry(buffer);
        }
        newest = new double[bufferSize];
        fill = 0;
    }

    /// Puts a buffer of weight 1 where there is room for it, as a one is added to a binary number.
    private void carry(double[] buffer) {
        double[] carried = buffer;
        for (int level = 0; ; level++) {
            if (level == levels.size()) {
                levels.add(null);
                turns.add(false);
            }
            if (levels.get(level) == null) {
                levels.set(level, carried);
                return;
            }
            carried = half(levels.get(level), carried, turns.get(level));
            levels.set(level, null);
            turns.set(level, !turns.get(level));
        }
    }

    /// Every other number of two sorted buffers.
    private double[] half(double[] a, double[] b, boolean second) {
        double[] merged = new double[2 * bufferSize];
        System.arraycopy(a, 0, merged, 0, bufferSize);
        System.arraycopy(b, 0, merged, bufferSize, bufferSize);
        Arrays.sort(merged);
        double[] half = new double[bufferSize];
        for (int i = 0; i < bufferSize; i++) {
            half[i] = merged[2 * i + (second ? 1 : 0)];
        }
        return half;
    }

    public long count() {
        return count;
    }

    /// Whether no number was left out.
    boolean isExact() {
        return all;
    }

    /// Quantiles by linear interpolation between the two nearest numbers, as numpy's by default.
    ///
    /// @param parts from 0 to 1
    public double[] at(double... parts) {
        double[] numbers = Arrays.copyOf(newest, fill);
        Arrays.sort(numbers);
        double[] found = new double[parts.length];
        for (int i = 0; i < parts.length; i++) {
            double rank = parts[i] * (count - 1);
            long below = (long) Math.floor(rank);
            double low = ranked(numbers, below);
            double high = ranked(numbers, Math.min(below + 1, count - 1));
            double part = rank - below;
            double between = high - low;
            found[i] = part < 0.5 ? low + between * part : high - between * (1 - part);
        }
        return found;
    }

    /// The number of a rank from 0: the least one that has enough numbers below it.
    private double ranked(double[] numbers, long rank) {
        if (all) {
            return numbers[(int) rank];
        }
        if (rank == 0 || rank == count - 1) {
            return rank == 0 ? least : greatest;
        }
        long from = ordered(least);
        long to = ordered(greatest);
        while (from < to) {
            long middle = from + ((to - from) >>> 1);
            if (weightUpTo(numbers, unordered(middle)) > rank) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return unordered(from);
    }

    private long weightUpTo(double[] numbers, double x) {
        long weight = upTo(numbers, x);
        for (int i = 0; i < levels.size(); i++) {
            weight += levels.get(i) == null ? 0 : (long) upTo(levels.get(i), x) << i;
        }
        return weight;
    }

    private static int upTo(double[] sorted, double x) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Double.compare(sorted[middle], x) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /// Doubles in their order as whole numbers in theirs.
    private static long ordered(double x) {
        long bits = Double.doubleToLongBits(x);
        return bits < 0 ? ~bits ^ Long.MIN_VALUE : bits;
    }

    private static double unordered(long ordered) {
        return Double.longBitsToDouble(ordered < 0 ? ~(ordered ^ Long.MIN_VALUE) : ordered);
    }
}
