// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.Arrays;

/// Where a node sends a value. Bounds cut the floats into intervals, of which those with even numbers go one way and
/// the others the other way. Whether a bound belongs to the interval below it is the ensemble's to say.
///
/// @param feature the number of the feature whose value it is
/// @param bounds in ascending order, each once
/// @param leftFirst whether values below the first bound go left
/// @param missingLeft whether NaN goes left
record Split(int feature, float[] bounds, boolean leftFirst, boolean missingLeft) {
    /// Whether an interval goes left, the one below the first bound being 0.
    boolean isLeft(int interval) {
        return leftFirst == (interval % 2 == 0);
    }

    /// Of the categories that are set, the intervals they make.
    static final class Runs {
        private final float[] bounds;
        private int count;

        /// @param most how many bounds there can be
        Runs(int most) {
            bounds = new float[most];
        }

        /// A bound, not below those before; one that is there already leaves nothing in between.
        void add(float bound) {
            if (count > 0 && bounds[count - 1] == bound) {
                count--;
            } else {
                bounds[count++] = bound;
            }
        }

        float[] bounds() {
            return Arrays.copyOf(bounds, count);
        }
    }
}
