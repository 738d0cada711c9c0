// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Scores with what was right for them, yes or no: the area under the ROC curve, and the curve. Equal scores are one
/// step, so that nothing depends on the order of rows.
///
/// Threads: one.
final class Scores {
    /// Beyond that, none are kept: 128 MiB.
    static final int MAX = 1 << 24;
    private static final int MAX_POINTS = 200;

    /// A score's bits in the order of scores, but for the last one, which tells what is right.
    private long[] packed = new long[1024];
    private int size;
    private boolean overflown;
    private boolean sorted;

    void add(double score, boolean positive) {
        if (size == MAX) {
            overflown = true;
            return;
        }
        if (size == packed.length) {
            packed = Arrays.copyOf(packed, 2 * size);
        }
        // Both zeros are one score.
        long bits = Double.doubleToLongBits(score + 0.0);
        long ordered = bits ^ ((bits >> 63) & Long.MAX_VALUE);
        packed[size++] = (ordered & ~1L) | (positive ? 1 : 0);
        sorted = false;
    }

    /// Why there is no area, or nothing.
    Optional<String> obstacle() {
        if (overflown) {
            return Optional.of("there are more than " + MAX + " rows");
        }
        long positives = positives();
        return positives == 0 || positives == size ? Optional.of("all labels are the same") : Optional.empty();
    }

    private long positives() {
        long positives = 0;
        for (int i = 0; i < size; i++) {
            positives += packed[i] & 1;
        }
        return positives;
    }

    /// The chance that a random positive scores above a random negative; ties count half.
    double area() {
        double area = 0;
        double below = 0;
        long positives = 0;
        sort();
        for (int at = 0; at < size; ) {
            int end = endOfTie(at);
            long positive = positives(at, end);
            long negative = end - at - positive;
            area += positive * (below + negative / 2.0);
            below += negative;
            positives += positive;
            at = end;
        }
        return area / (below * positives);
    }

    /// Points from (0, 0) to (1, 1): the share of negatives that pass a threshold, and that of positives.
    List<double[]> curve() {
        sort();
        double all = positives();
        double others = size - all;
        List<double[]> points = new ArrayList<>(List.of(new double[] {0, 0}));
        double truly = 0;
        double falsely = 0;
        for (int at = size; at > 0; ) {
            int start = at - 1;
            while (start > 0 && packed[start - 1] >> 1 == packed[at - 1] >> 1) {
                start--;
            }
            long positive = positives(start, at);
            truly += positive;
            falsely += at - start - positive;
            at = start;
            double[] last = points.getLast();
            if (at == 0 || Math.abs(truly / all - last[1]) + Math.abs(falsely / others - last[0]) >= 2.0 / MAX_POINTS) {
                points.add(new double[] {falsely / others, truly / all});
            }
        }
        return points;
    }

    private void sort() {
        if (!sorted) {
            Arrays.sort(packed, 0, size);
            sorted = true;
        }
    }

    private int endOfTie(int at) {
        int end = at + 1;
        while (end < size && packed[end] >> 1 == packed[at] >> 1) {
            end++;
        }
        return end;
    }

    private long positives(int from, int to) {
        long positives = 0;
        for (int i = from; i < to; i++) {
            positives += packed[i] & 1;
        }
        return positives;
    }
}
