// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import dev.millrace.onnx.OnnxAttribute;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Nodes of trees as ONNX has them, each of their fields a list: of all nodes, and of what the leaves add to the sums.
///
/// Threads: one.
final class TreeNodes {
    /// About what a node takes here and in the model.
    private static final int BYTES_PER_NODE = 64;

    private final long mostNodes;
    private final String mode;
    private final Numbers trees = new Numbers();
    private final Numbers ids = new Numbers();
    private final Numbers features = new Numbers();
    /// Bits of floats.
    private final Numbers values = new Numbers();
    /// The first child's number; -1 for leaves.
    private final Numbers ifTrue = new Numbers();

    private final Numbers ifFalse = new Numbers();
    private final Numbers missing = new Numbers();
    private final Numbers leafTrees = new Numbers();
    private final Numbers leafIds = new Numbers();
    private final Numbers leafGroups = new Numbers();
    /// Bits of floats.
    private final Numbers leafValues = new Numbers();

    private int tree = -1;
    private int firstOfTree;

    /// Integers, as many as come.
    private static final class Numbers {
        private int[] all = new int[64];
        private int count;

        void add(int value) {
            if (count == all.length) {
                all = Arrays.copyOf(all, count + (count >> 1));
            }
            all[count++] = value;
        }

        long[] longs() {
            return Arrays.stream(all, 0, count).asLongStream().toArray();
        }

        float[] floats() {
            float[] floats = new float[count];
            for (int i = 0; i < count; i++) {
                floats[i] = Float.intBitsToFloat(all[i]);
            }
            return floats;
        }
    }

    /// @param inclusive whether a node's first child is for values up to its own, or for those below it
    /// @param allowance how many bytes the nodes may take
    TreeNodes(boolean inclusive, long allowance) {
        mode = inclusive ? "BRANCH_LEQ" : "BRANCH_LT";
        mostNodes = allowance / BYTES_PER_NODE;
    }

    /// What follows is of a new tree, the root first.
    void beginTree() {
        tree++;
        firstOfTree = ids.count;
    }

    /// A node with children, which [#link] tells. Returns its number in the tree.
    int branch(int feature, float value, boolean missingTrue) {
        int id = add(feature, value);
        missing.all[missing.count - 1] = missingTrue ? 1 : 0;
        return id;
    }

    void link(int id, int trueChild, int falseChild) {
        ifTrue.all[firstOfTree + id] = trueChild;
        ifFalse.all[firstOfTree + id] = falseChild;
    }

    /// A leaf, which says nothing yet. Returns its number in the tree.
    int leaf() {
        int id = add(0, 0);
        ifTrue.all[ifTrue.count - 1] = -1;
        return id;
    }

    /// Something that a leaf adds to a sum.
    void vote(int leaf, int group, float value) {
        leafTrees.add(tree);
        leafIds.add(leaf);
        leafGroups.add(group);
        leafValues.add(Float.floatToIntBits(value));
    }

    private int add(int feature, float value) {
        if (ids.count >= mostNodes) {
            throw new InvalidDumpException("its splits of categories make more than " + mostNodes
                    + " nodes, which is too much for a file of its size");
        }
        int id = ids.count - firstOfTree;
        trees.add(tree);
        ids.add(id);
        features.add(feature);
        values.add(Float.floatToIntBits(value));
        ifTrue.add(0);
        ifFalse.add(0);
        missing.add(0);
        return id;
    }

    /// The attributes of `TreeEnsembleRegressor` or `TreeEnsembleClassifier` that are about nodes and leaves.
    ///
    /// @param votes what the operator's attributes of leaves begin with: `target` or `class`
    List<OnnxAttribute> attributes(String votes) {
        List<OnnxAttribute> all = new ArrayList<>();
        all.add(OnnxAttribute.of("nodes_treeids", trees.longs()));
        all.add(OnnxAttribute.of("nodes_nodeids", ids.longs()));
        all.add(OnnxAttribute.of("nodes_featureids", features.longs()));
        all.add(OnnxAttribute.of("nodes_values", values.floats()));
        all.add(OnnxAttribute.of("nodes_modes", modes()));
        all.add(OnnxAttribute.of("nodes_truenodeids", children(ifTrue)));
        all.add(OnnxAttribute.of("nodes_falsenodeids", children(ifFalse)));
        all.add(OnnxAttribute.of("nodes_missing_value_tracks_true", missing.longs()));
        all.add(OnnxAttribute.of(votes + "_treeids", leafTrees.longs()));
        all.add(OnnxAttribute.of(votes + "_nodeids", leafIds.longs()));
        all.add(OnnxAttribute.of(votes + "_ids", leafGroups.longs()));
        all.add(OnnxAttribute.of(votes + "_weights", leafValues.floats()));
        return all;
    }

    private static long[] children(Numbers children) {
        return IntStream.range(0, children.count)
                .mapToLong(i -> Math.max(0, children.all[i]))
                .toArray();
    }

    private List<String> modes() {
        return new AbstractList<>() {
            @Override
            public String get(int index) {
                return ifTrue.all[index] < 0 ? "LEAF" : mode;
            }

            @Override
            public int size() {
                return ids.count;
            }
        };
    }
}
