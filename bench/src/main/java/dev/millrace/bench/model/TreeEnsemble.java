// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import dev.millrace.memory.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A sum of complete binary decision trees, as gradient boosting makes them. Node `n` of a tree has the children
/// `2n + 1`, taken if the feature is at most the threshold, and `2n + 2`; after the inner nodes come the leaves.
///
/// @param width features of a row
/// @param depth decisions from the root to a leaf
/// @param features per tree and inner node, what is looked at
/// @param thresholds per tree and inner node
/// @param leaves per tree, what it adds
record TreeEnsemble(int width, int depth, int[][] features, float[][] thresholds, float[][] leaves) {
    static TreeEnsemble random(long seed, int trees, int depth, int width) {
        SplittableRandom random = new SplittableRandom(seed);
        int inner = (1 << depth) - 1;
        int[][] features = new int[trees][inner];
        float[][] thresholds = new float[trees][];
        float[][] leaves = new float[trees][];
        for (int tree = 0; tree < trees; tree++) {
            for (int node = 0; node < inner; node++) {
                features[tree][node] = random.nextInt(width);
            }
            thresholds[tree] = Draw.gaussians(random, inner, 1);
            leaves[tree] = Draw.gaussians(random, inner + 1, 0.1);
        }
        return new TreeEnsemble(width, depth, features, thresholds, leaves);
    }

    byte[] onnx() {
        Columns columns = new Columns();
        for (int tree = 0; tree < features.length; tree++) {
            columns.add(tree, features[tree], thresholds[tree], leaves[tree]);
        }
        return new OnnxGraph("trees")
                .input(BenchModels.INPUT, DataType.FP32, -1, width)
                .output(BenchModels.OUTPUT, DataType.FP32, -1, 1)
                .node(
                        OnnxGraph.ML,
                        "TreeEnsembleRegressor",
                        BenchModels.OUTPUT,
                        List.of(BenchModels.INPUT),
                        columns.attributes())
                .bytes();
    }

    /// The nodes of all trees, attribute by attribute.
    private static final class Columns {
        private final List<Long> trees = new ArrayList<>();
        private final List<Long> nodes = new ArrayList<>();
        private final List<Long> features = new ArrayList<>();
        private final List<Float> thresholds = new ArrayList<>();
        private final List<String> modes = new ArrayList<>();
        private final List<Long> left = new ArrayList<>();
        private final List<Long> right = new ArrayList<>();
        private final List<Long> targetTrees = new ArrayList<>();
        private final List<Long> targetNodes = new ArrayList<>();
        private final List<Long> targets = new ArrayList<>();
        private final List<Float> weights = new ArrayList<>();

        void add(long tree, int[] looked, float[] limits, float[] added) {
            for (int node = 0; node < looked.length; node++) {
                addNode(tree, node, "BRANCH_LEQ", looked[node], limits[node]);
                left.add(2L * node + 1);
                right.add(2L * node + 2);
            }
            for (int leaf = 0; leaf < added.length; leaf++) {
                long node = looked.length + (long) leaf;
                addNode(tree, node, "LEAF", 0, 0);
                left.add(0L);
                right.add(0L);
                targetTrees.add(tree);
                targetNodes.add(node);
                targets.add(0L);
                weights.add(added[leaf]);
            }
        }

        private void addNode(long tree, long node, String mode, long feature, float threshold) {
            trees.add(tree);
            nodes.add(node);
            modes.add(mode);
            features.add(feature);
            thresholds.add(threshold);
        }

        List<ai.onnx.proto.OnnxMl.AttributeProto> attributes() {
            return List.of(
                    OnnxGraph.integer("n_targets", 1),
                    OnnxGraph.integers("nodes_treeids", trees),
                    OnnxGraph.integers("nodes_nodeids", nodes),
                    OnnxGraph.integers("nodes_featureids", features),
                    OnnxGraph.floats("nodes_values", thresholds),
                    OnnxGraph.strings("nodes_modes", modes),
                    OnnxGraph.integers("nodes_truenodeids", left),
                    OnnxGraph.integers("nodes_falsenodeids", right),
                    OnnxGraph.integers("target_treeids", targetTrees),
                    OnnxGraph.integers("target_nodeids", targetNodes),
                    OnnxGraph.integers("target_ids", targets),
                    OnnxGraph.floats("target_weights", weights));
        }
    }
}
