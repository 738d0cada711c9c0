// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/// Makes the model of an ensemble: one operator for the trees, and what the objective makes of their sums, where that
/// operator cannot do it or is less exact.
///
/// Classes of one sum are `softmax` of 0 and the sum, which loses no digits of small probabilities. As the operator has
/// a sum of exactly 0 for the first class then, it gives the label as well.
///
/// Threads: one.
final class TreeGraph {
    /// What the names of values between nodes begin with.
    static final String INNER = "trees.";

    private static final long IR_VERSION = 8;
    private static final long ONNX_OPSET = 17;
    private static final long TREES_OPSET = 3;
    private static final String TREES_DOMAIN = "ai.onnx.ml";
    private static final String SUMS = INNER + "sums";

    private final Ensemble ensemble;
    private final ImportOptions options;
    private final Link link;
    private final TreeNodes trees;
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<OnnxTensor> constants = new ArrayList<>();

    private TreeGraph(Ensemble ensemble, ImportOptions options, long allowance) {
        this.ensemble = ensemble;
        this.options = options;
        this.link = options.rawScore() ? Link.NONE : ensemble.link();
        this.trees = new TreeNodes(ensemble.inclusive(), allowance);
    }

    /// Makes the model.
    ///
    /// @param allowance how many bytes the trees' nodes may take
    static OnnxFile of(Ensemble ensemble, ImportOptions options, long allowance) {
        return new TreeGraph(ensemble, options, allowance).file();
    }

    private OnnxFile file() {
        writeBase();
        double factor = options.rawScore() ? 1 : ensemble.share() * ensemble.steepness();
        for (DecisionTree tree : ensemble.trees()) {
            TreeWriter.write(tree, trees, link == Link.BINARY ? 1 : tree.group(), factor);
        }
        OnnxGraph graph = OnnxGraph.named("trees");
        boolean classes = isClassifier();
        if (classes) {
            addClasses();
            graph.setOutputs(List.of(
                    OnnxValue.of("label", ElementType.INT64, List.of(Dimension.open("batch"))),
                    output("probabilities", Math.max(2, ensemble.groups()))));
        } else {
            addValues();
            graph.setOutputs(List.of(output("y", ensemble.groups())));
        }
        graph.setInputs(List.of(output(options.input(), ensemble.features())));
        graph.setNodes(nodes);
        graph.setInitializers(constants);
        OnnxFile file = OnnxFile.of(graph, IR_VERSION, Map.of("ai.onnx", ONNX_OPSET), "millrace");
        file.setOpset(TREES_DOMAIN, TREES_OPSET);
        file.setMetadata("imported_from", ensemble.library());
        file.setMetadata("objective", ensemble.objective());
        if (!ensemble.names().isEmpty()) {
            file.setMetadata("features", String.join(",", ensemble.names()));
        }
        return file;
    }

    private boolean isClassifier() {
        return link == Link.BINARY || link == Link.SOFTMAX || link == Link.ONE_VS_ALL;
    }

    private static OnnxValue output(String name, int columns) {
        return OnnxValue.of(name, ElementType.FLOAT, List.of(Dimension.open("batch"), Dimension.of(columns)));
    }

    /// What the sums begin with, as a tree that is a leaf: added first, as the libraries do, and not last, as ONNX
    /// Runtime would.
    private void writeBase() {
        boolean none = true;
        for (float value : ensemble.base()) {
            none &= value == 0;
        }
        if (none && link != Link.BINARY) {
            return;
        }
        trees.beginTree();
        int leaf = trees.leaf();
        if (link == Link.BINARY) {
            trees.vote(leaf, 0, 0);
            trees.vote(leaf, 1, (float) (ensemble.base()[0] * ensemble.steepness()));
            return;
        }
        for (int group = 0; group < ensemble.groups(); group++) {
            trees.vote(leaf, group, ensemble.base()[group]);
        }
    }

    private void addClasses() {
        // With two classes ONNX Runtime looks at the second sum alone for the label.
        if (link == Link.BINARY || (link == Link.SOFTMAX && ensemble.groups() > 2)) {
            List<OnnxAttribute> attributes = trees.attributes("class");
            attributes.add(OnnxAttribute.of(
                    "classlabels_int64s",
                    LongStream.range(0, Math.max(2, ensemble.groups())).toArray()));
            attributes.add(OnnxAttribute.of("post_transform", "SOFTMAX"));
            addTrees("TreeEnsembleClassifier", attributes, "label", "probabilities");
            return;
        }
        addSums(SUMS);
        add("ArgMax", List.of(SUMS), "label", OnnxAttribute.of("axis", 1), OnnxAttribute.of("keepdims", 0));
        if (link == Link.SOFTMAX) {
            add("Softmax", List.of(SUMS), "probabilities", OnnxAttribute.of("axis", 1));
        } else {
            addLogistic("probabilities");
        }
    }

    private void addValues() {
        if (link == Link.NONE) {
            addSums("y");
            return;
        }
        addSums(SUMS);
        switch (link) {
            case EXP -> add("Exp", List.of(SUMS), "y");
            case LOGISTIC -> addLogistic("y");
            default -> {
                add("Abs", List.of(SUMS), INNER + "absolute");
                add("Mul", List.of(SUMS, INNER + "absolute"), "y");
            }
        }
    }

    private void addSums(String output) {
        List<OnnxAttribute> attributes = trees.attributes("target");
        attributes.add(OnnxAttribute.of("n_targets", ensemble.groups()));
        attributes.add(OnnxAttribute.of("post_transform", "NONE"));
        addTrees("TreeEnsembleRegressor", attributes, output);
    }

    /// `1 / (1 + exp(-sum))`, which is more exact for small ones than `Sigmoid` is.
    private void addLogistic(String output) {
        constants.add(OnnxTensor.ofFloats(INNER + "one", new long[] {1}, 1));
        add("Neg", List.of(SUMS), INNER + "negative");
        add("Exp", List.of(INNER + "negative"), INNER + "odds");
        add("Add", List.of(INNER + "odds", INNER + "one"), INNER + "whole");
        add("Div", List.of(INNER + "one", INNER + "whole"), output);
    }

    private void addTrees(String operator, List<OnnxAttribute> attributes, String... outputs) {
        nodes.add(OnnxNode.of(
                new OperatorName(TREES_DOMAIN, operator),
                INNER + operator,
                List.of(options.input()),
                List.of(outputs),
                attributes.toArray(OnnxAttribute[]::new)));
    }

    private void add(String operator, List<String> inputs, String output, OnnxAttribute... attributes) {
        nodes.add(OnnxNode.of(new OperatorName("", operator), INNER + operator, inputs, List.of(output), attributes));
    }
}
