// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import java.util.Arrays;

/// What ensembles of trees take. Stateless.
final class Trees {
    private Trees() {}

    /// One comparison on each level of each tree, as if the trees were balanced.
    static long comparisons(Step step) {
        long[] trees = step.numbers("nodes_treeids");
        // Sorting takes as much again at most; a map by number would take ten times as much.
        step.spend((long) Long.BYTES * trees.length);
        Arrays.sort(trees);
        long comparisons = 0;
        int first = 0;
        for (int i = 1; i <= trees.length; i++) {
            if (i == trees.length || trees[i] != trees[first]) {
                comparisons += levels((long) i - first);
                first = i;
            }
        }
        return Math.multiplyExact(comparisons, step.shape(0)[0]);
    }

    /// A balanced tree of n nodes has (n + 1) / 2 leaves.
    private static long levels(long nodes) {
        return Long.SIZE - 1L - Long.numberOfLeadingZeros((nodes + 1) / 2);
    }
}
