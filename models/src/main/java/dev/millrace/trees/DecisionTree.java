// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.BitSet;

/// A tree: nodes by number, the root being 0. Threads: any, once it is made.
///
/// @param name what to call it in messages
/// @param group which of the ensemble's sums it belongs to
/// @param splits of each node, null for leaves
/// @param left the children where a split sends values to the left
/// @param right the others
/// @param values of the leaves
record DecisionTree(String name, int group, Split[] splits, int[] left, int[] right, double[] values) {
    /// Holds that it is a tree whose values are numbers.
    ///
    /// @param features how many features there are
    /// @throws InvalidDumpException if it is not
    DecisionTree check(int features) {
        if (splits.length == 0) {
            throw new InvalidDumpException(name + " has no nodes, expected one at least");
        }
        BitSet seen = new BitSet(splits.length);
        int[] waiting = new int[splits.length];
        int count = 0;
        waiting[count++] = 0;
        seen.set(0);
        while (count > 0) {
            int node = waiting[--count];
            if (splits[node] == null) {
                checkValue(node);
                continue;
            }
            int feature = splits[node].feature();
            if (feature < 0 || feature >= features) {
                throw new InvalidDumpException(name + ", node " + node + " splits by feature " + feature
                        + ", expected one from 0 to " + (features - 1));
            }
            for (int child : new int[] {left[node], right[node]}) {
                if (child < 0 || child >= splits.length) {
                    throw new InvalidDumpException(name + ", node " + node + " has a child that is not there");
                }
                if (seen.get(child)) {
                    throw new InvalidDumpException(
                            name + ", node " + node + " has a child that another node has, too, or that is the root");
                }
                seen.set(child);
                waiting[count++] = child;
            }
        }
        return this;
    }

    private void checkValue(int node) {
        if (!Double.isFinite(values[node])) {
            throw new InvalidDumpException(name + " has a leaf of " + values[node] + ", expected a number");
        }
    }
}
