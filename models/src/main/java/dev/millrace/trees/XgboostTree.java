// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.Arrays;

/// A tree as XGBoost writes it: for each field an array of all nodes. Threads: one.
final class XgboostTree {
    private static final int NO_CHILD = -1;

    private final String name;
    private int[] left;
    private int[] right;
    private int[] features;
    private int[] defaultLeft;
    private float[] conditions;
    /// 1 where a node splits by categories; older files have none of it.
    private int[] types = {};

    private int[] categories = {};
    /// The nodes that split by categories, and where theirs are.
    private int[] categoryNodes = {};

    private int[] segments = {};
    private int[] sizes = {};
    private int vector = 1;

    XgboostTree(String name) {
        this.name = name;
    }

    /// Reads the value of a field.
    void read(String field, JsonDump json) {
        switch (field) {
            case "left_children" -> left = json.integers(field);
            case "right_children" -> right = json.integers(field);
            case "split_indices" -> features = json.integers(field);
            case "split_conditions" -> conditions = json.floats(field);
            case "default_left" -> defaultLeft = json.integers(field);
            case "split_type" -> types = json.integers(field);
            case "categories" -> categories = json.integers(field);
            case "categories_nodes" -> categoryNodes = json.integers(field);
            case "categories_segments" -> segments = json.integers(field);
            case "categories_sizes" -> sizes = json.integers(field);
            case "tree_param" ->
                json.object(parameter -> {
                    if (parameter.equals("size_leaf_vector")) {
                        vector = json.integer(parameter, json.scalar());
                    } else {
                        json.skip();
                    }
                });
            default -> json.skip();
        }
    }

    /// @param weight what its values are multiplied by
    DecisionTree tree(int group, float weight) {
        if (vector > 1) {
            throw new InvalidDumpException(name + " has leaves of " + vector
                    + " numbers, expected one: trees of several" + " targets ('multi_output_tree') are not imported");
        }
        int nodes = left == null ? 0 : left.length;
        requireLength("left_children", left == null ? -1 : nodes, nodes);
        requireLength("right_children", right == null ? -1 : right.length, nodes);
        requireLength("split_indices", features == null ? -1 : features.length, nodes);
        requireLength("split_conditions", conditions == null ? -1 : conditions.length, nodes);
        requireLength("default_left", defaultLeft == null ? -1 : defaultLeft.length, nodes);
        requireLength("split_type", types.length == 0 ? nodes : types.length, nodes);
        int[] setOfNode = sets(nodes);
        Split[] splits = new Split[nodes];
        double[] values = new double[nodes];
        for (int node = 0; node < nodes; node++) {
            if (left[node] == NO_CHILD && right[node] == NO_CHILD) {
                values[node] = conditions[node] * weight;
            } else {
                splits[node] = split(node, setOfNode);
            }
        }
        return new DecisionTree(name, group, splits, left, right, values);
    }

    private void requireLength(String field, int length, int nodes) {
        if (length < 0) {
            throw new InvalidDumpException(name + " has no '" + field + "', expected it");
        }
        if (length != nodes) {
            throw new InvalidDumpException(name + ", '" + field + "' has " + length
                    + " numbers, expected one for each of " + nodes + " nodes");
        }
    }

    private Split split(int node, int[] setOfNode) {
        boolean toLeft = defaultLeft[node] != 0;
        if (types.length == 0 || types[node] == 0) {
            if (Float.isNaN(conditions[node])) {
                throw new InvalidDumpException(
                        name + ", 'split_conditions' of node " + node + " is NaN, expected a number");
            }
            return XgboostSplits.numeric(features[node], conditions[node], toLeft);
        }
        if (setOfNode[node] < 0) {
            throw new InvalidDumpException(
                    name + ", node " + node + " splits by categories and is not among 'categories_nodes'");
        }
        int set = setOfNode[node];
        int[] own = Arrays.copyOfRange(categories, segments[set], segments[set] + sizes[set]);
        return XgboostSplits.categorical(features[node], own, toLeft, name + ", node " + node);
    }

    /// Which set of categories each node has; -1 for none. Sets lie one after the other, so that they are not more
    /// together than there are.
    private int[] sets(int nodes) {
        int[] setOfNode = new int[nodes];
        Arrays.fill(setOfNode, -1);
        if (segments.length != categoryNodes.length || sizes.length != categoryNodes.length) {
            throw new InvalidDumpException(name + ", 'categories_segments' has " + segments.length
                    + " numbers and 'categories_sizes' " + sizes.length + ", expected as many as 'categories_nodes', "
                    + categoryNodes.length);
        }
        int end = 0;
        for (int set = 0; set < categoryNodes.length; set++) {
            int node = categoryNodes[set];
            if (node < 0 || node >= nodes || setOfNode[node] >= 0) {
                throw new InvalidDumpException(
                        name + ", 'categories_nodes' has " + node + ", expected a node that did not come before");
            }
            if (segments[set] != end || sizes[set] < 0 || sizes[set] > categories.length - end) {
                throw new InvalidDumpException(name + ", the categories of node " + node + " are " + sizes[set]
                        + " from " + segments[set] + " on, expected them from " + end + " on, of "
                        + categories.length);
            }
            end += sizes[set];
            setOfNode[node] = set;
        }
        return setOfNode;
    }
}
