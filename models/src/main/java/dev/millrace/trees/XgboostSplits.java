// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.Arrays;

/// XGBoost's splits, as intervals of floats whose bounds belong to the interval above. Stateless.
final class XgboostSplits {
    /// Categories are below it: floats that count without gaps.
    private static final int BEYOND = 1 << 24;

    private XgboostSplits() {}

    /// The split of `value < threshold`.
    static Split numeric(int feature, float threshold, boolean defaultLeft) {
        return new Split(feature, new float[] {threshold}, true, defaultLeft);
    }

    /// The split of values whose whole part is in a set, which go right; what is below or beyond goes left.
    ///
    /// @throws InvalidDumpException if there is no such category
    static Split categorical(int feature, int[] categories, boolean defaultLeft, String node) {
        int[] sorted = categories.clone();
        Arrays.sort(sorted);
        if (sorted.length == 0) {
            // No bound is needed for numbers, but one to tell NaN from them.
            return defaultLeft
                    ? new Split(feature, new float[0], true, true)
                    : new Split(feature, new float[] {Float.NEGATIVE_INFINITY}, false, false);
        }
        if (sorted[0] < 0 || sorted[sorted.length - 1] >= BEYOND) {
            throw new InvalidDumpException(node + " has category "
                    + (sorted[0] < 0 ? sorted[0] : sorted[sorted.length - 1]) + ", expected 0 to " + (BEYOND - 1));
        }
        Split.Runs runs = new Split.Runs(2 * sorted.length);
        for (int i = 0; i < sorted.length; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1]) {
                runs.add(sorted[i]);
                runs.add(sorted[i] + 1);
            }
        }
        return new Split(feature, runs.bounds(), true, defaultLeft);
    }
}
