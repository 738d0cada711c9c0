// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

/// LightGBM's splits, as intervals of floats whose bounds belong to the interval below. Stateless.
final class LightGbmSplits {
    private static final int CATEGORICAL = 1;
    private static final int DEFAULT_LEFT = 2;
    private static final int MISSING_SHIFT = 2;
    private static final int MISSING_ZERO = 1;
    private static final int MISSING_NAN = 2;

    /// What is not farther from zero than this is zero to LightGBM.
    private static final float ZERO = 1e-35f;

    private static final float BELOW_ZERO = Math.nextDown(-ZERO);

    private LightGbmSplits() {}

    static boolean isCategorical(int decision) {
        return (decision & CATEGORICAL) != 0;
    }

    /// The split of `value <= threshold`, which LightGBM compares as doubles.
    ///
    /// @param decision the node's `decision_type`
    static Split numeric(int feature, double threshold, int decision) {
        boolean defaultLeft = (decision & DEFAULT_LEFT) != 0;
        int missing = decision >> MISSING_SHIFT;
        float bound = bound(threshold);
        boolean zeroLeft = bound >= ZERO;
        return switch (missing) {
            case MISSING_NAN -> new Split(feature, new float[] {bound}, true, defaultLeft);
            case MISSING_ZERO ->
                new Split(
                        feature, zeroLeft == defaultLeft ? new float[] {bound} : aroundZero(bound), true, defaultLeft);
            // NaN is zero then.
            default -> new Split(feature, new float[] {bound}, true, zeroLeft);
        };
    }

    /// The greatest float that goes left, where zeros are no exception.
    private static float bound(double threshold) {
        if (threshold >= -ZERO && threshold <= ZERO) {
            return threshold < 0 ? BELOW_ZERO : ZERO;
        }
        float nearest = (float) threshold;
        return nearest > threshold ? Math.nextDown(nearest) : nearest;
    }

    /// The bounds where zeros go the other way than what is around them.
    private static float[] aroundZero(float bound) {
        Split.Runs runs = new Split.Runs(3);
        if (bound >= ZERO) {
            runs.add(BELOW_ZERO);
            runs.add(ZERO);
            runs.add(bound);
        } else {
            runs.add(bound);
            runs.add(BELOW_ZERO);
            runs.add(ZERO);
        }
        return runs.bounds();
    }

    /// The split of values whose whole part is in a set. NaN, and what is below or beyond, goes right.
    ///
    /// @param words bits by category, of 32 each
    static Split categorical(int feature, int[] words, int from, int to) {
        Split.Runs runs = new Split.Runs(count(words, from, to));
        boolean in = false;
        for (long category = 0; category <= Integer.SIZE * (long) (to - from); category++) {
            int word = from + (int) (category / Integer.SIZE);
            boolean now = word < to && (words[word] >>> (category % Integer.SIZE) & 1) != 0;
            if (now != in) {
                // What is between -1 and 0 is of category 0, as -1 is not.
                runs.add(category == 0 ? -1 : lessThan(category));
                in = now;
            }
        }
        return new Split(feature, runs.bounds(), false, false);
    }

    private static int count(int[] words, int from, int to) {
        int count = 0;
        for (int i = from; i < to; i++) {
            count += Integer.bitCount(words[i]);
        }
        return Math.multiplyExact(2, count);
    }

    private static float lessThan(long category) {
        float nearest = category;
        return (double) nearest >= (double) category ? Math.nextDown(nearest) : nearest;
    }
}
