// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

/// Makes ONNX's nodes of a tree. Each split is one comparison or several, all of the same kind, because ONNX Runtime is
/// fastest when all nodes compare alike.
///
/// A split into several intervals is a small search tree whose ends are the split's two children, each written once.
/// ONNX Runtime keeps a node's second child right behind it, so that only first children can be shared: elsewhere a
/// node that always takes its first child leads to what is there already.
///
/// Threads: one.
final class TreeWriter {
    /// ONNX Runtime reads trees by calling itself, level by level.
    private static final int MOST_LEVELS = 1000;

    /// Up to so many bounds are compared one after the other.
    private static final int CHAIN = 4;

    private final TreeNodes nodes;
    private final DecisionTree tree;
    private final int group;
    private final double factor;

    /// @param group which sum the tree belongs to
    /// @param factor what its values are multiplied by
    private TreeWriter(TreeNodes nodes, DecisionTree tree, int group, double factor) {
        this.nodes = nodes;
        this.tree = tree;
        this.group = group;
        this.factor = factor;
    }

    /// Writes a tree that was checked.
    static void write(DecisionTree tree, TreeNodes nodes, int group, double factor) {
        nodes.beginTree();
        new TreeWriter(nodes, tree, group, factor).node(0, 0);
    }

    /// Writes what is below a node of the tree, and returns the number of what it begins with.
    private int node(int node, int level) {
        Split split = tree.splits()[node];
        if (split == null) {
            return leaf(tree.values()[node]);
        }
        if (split.bounds().length == 0) {
            return node(split.leftFirst() ? tree.left()[node] : tree.right()[node], level);
        }
        return new Search(node, split).range(0, split.bounds().length, level);
    }

    private int leaf(double value) {
        double product = value * factor;
        float rounded = (float) product;
        if (Float.isInfinite(rounded)) {
            throw new InvalidDumpException(tree.name() + " has a leaf of " + product + ", expected a float");
        }
        int leaf = nodes.leaf();
        nodes.vote(leaf, group, rounded);
        return leaf;
    }

    /// Finds the interval that a value is in.
    private final class Search {
        private final int node;
        private final Split split;
        /// The numbers of what the children begin with, the right one first; -1 until they are written.
        private final int[] written = {-1, -1};

        Search(int node, Split split) {
            this.node = node;
            this.split = split;
        }

        /// Writes the search among intervals.
        private int range(int first, int last, int level) {
            if (level > MOST_LEVELS) {
                throw new InvalidDumpException(
                        tree.name() + " has more than " + MOST_LEVELS + " levels of comparisons, expected less");
            }
            if (first == last) {
                return written[side(first)] < 0 ? child(first, level) : again(first, level);
            }
            int bounds = split.bounds().length;
            int middle = bounds <= CHAIN ? first : first + (last - first + 1) / 2 - 1;
            // NaN is not below any bound, and so comes to the last one, wherever it is to go.
            boolean missing = middle == bounds - 1 && split.missingLeft() == split.isLeft(middle);
            int id = nodes.branch(split.feature(), split.bounds()[middle], missing);
            int above = range(middle + 1, last, level + 1);
            int below = first < middle
                    ? range(first, middle, level + 1)
                    : written[side(first)] < 0 ? child(first, level + 1) : written[side(first)];
            nodes.link(id, below, above);
            return id;
        }

        private int side(int interval) {
            return split.isLeft(interval) ? 1 : 0;
        }

        private int child(int interval, int level) {
            int child = split.isLeft(interval) ? tree.left()[node] : tree.right()[node];
            int id = node(child, level);
            written[side(interval)] = id;
            return id;
        }

        /// Leads to a child that is written already. The last interval is written first, so that no value that comes
        /// here is infinite or NaN.
        private int again(int interval, int level) {
            int child = split.isLeft(interval) ? tree.left()[node] : tree.right()[node];
            if (tree.splits()[child] == null) {
                return node(child, level);
            }
            int id = nodes.branch(split.feature(), Float.POSITIVE_INFINITY, true);
            nodes.link(id, written[side(interval)], leaf(0));
            return id;
        }
    }
}
