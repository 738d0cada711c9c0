// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// Which values of a graph go through integers, by the operators that make and take them: those of which
/// ONNX Runtime has kernels for integers, and those that only move elements, where what they take goes
/// through integers already.
///
/// Threads: one.
final class Marks {
    /// What is done with a value.
    ///
    /// @param weight whether it is a constant that is quantized as weights are
    /// @param axis the dimension of its channels; below 0 for one scale
    /// @param like the value whose scale it has; null for one of its own
    record Mark(boolean weight, int axis, String like) {
        private static final Mark ACTIVATION = new Mark(false, -1, null);
    }

    /// A bias: 32 bits, its scale is that of what is multiplied.
    ///
    /// @param node who takes it
    /// @param name the constant
    /// @param input what the node multiplies
    /// @param weight what it is multiplied with
    record Bias(OnnxNode node, String name, String input, String weight) {}

    /// The operators of ONNX that are looked at.
    static final Set<String> OPERATORS = Set.of(
            "Add",
            "ArgMax",
            "AveragePool",
            "BatchNormalization",
            "Clip",
            "Concat",
            "Conv",
            "ConvTranspose",
            "CumSum",
            "Flatten",
            "Gather",
            "GatherElements",
            "Gemm",
            "GlobalAveragePool",
            "InstanceNormalization",
            "LayerNormalization",
            "LeakyRelu",
            "MatMul",
            "MaxPool",
            "Mul",
            "Pad",
            "Relu",
            "Reshape",
            "Resize",
            "Sigmoid",
            "Slice",
            "Softmax",
            "Split",
            "Squeeze",
            "TopK",
            "Transpose",
            "Unsqueeze",
            "Where");

    private final WorkGraph graph;
    private final Set<String> floats;
    private final Map<String, Range> ranges;
    private final QuantizeOptions options;
    private final Map<String, Mark> marks = new LinkedHashMap<>();
    private final List<Bias> biases = new ArrayList<>();

    /// @param floats the values that are tensors of floats, but for constants
    /// @param ranges how they are; ranges of what is fused with its successor are replaced
    Marks(WorkGraph graph, Set<String> floats, Map<String, Range> ranges, QuantizeOptions options) {
        this.graph = graph;
        this.floats = floats;
        this.ranges = ranges;
        this.options = options;
    }

    Map<String, Mark> marks() {
        return marks;
    }

    List<Bias> biases() {
        return biases;
    }

    /// Looks at all nodes that are wanted.
    void markAll(Predicate<OnnxNode> wanted) throws IOException {
        graph.nodes().stream().filter(wanted).forEach(this::adjustRange);
        for (OnnxNode node : graph.nodes()) {
            if (wanted.test(node)) {
                mark(node);
            }
        }
    }

    /// What is cut off anyway need not be told apart; probabilities are what they are.
    private void adjustRange(OnnxNode node) {
        String name = node.operator().name();
        if (name.equals("Softmax")) {
            ranges.computeIfPresent(node.outputs().getFirst(), (_, _) -> new Range(0, 1));
        } else if (name.equals("Relu") || name.equals("Clip")) {
            Range range = ranges.get(node.outputs().getFirst());
            String input = node.inputs().getFirst();
            if (range != null && hasOneTaker(input)) {
                ranges.computeIfPresent(input, (_, _) -> range);
            }
        }
    }

    /// Nobody reads it but the next node; the model may give it away, too, which then has the smaller range.
    private boolean hasOneTaker(String value) {
        return graph.hasOneTaker(value);
    }

    private void mark(OnnxNode node) throws IOException {
        switch (node.operator().name()) {
            case "Conv" -> product(node, 0);
            case "ConvTranspose" -> product(node, 1);
            case "Gemm" -> product(node, isTransposed(node) ? 0 : 1);
            case "MatMul" -> matMul(node);
            case "Relu", "Clip" -> cut(node);
            case "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "AveragePool", "Slice", "TopK" ->
                follow(node);
            case "MaxPool" -> follow(node, 12);
            case "Resize" -> follow(node, 11);
            case "Split" -> split(node);
            case "Gather", "GatherElements" -> gather(node);
            case "Pad" -> pad(node);
            case "Where" -> where(node);
            case "InstanceNormalization", "LayerNormalization", "BatchNormalization" -> normalize(node);
            default -> {
                node.inputs().forEach(this::activation);
                node.outputs().forEach(this::activation);
            }
        }
    }

    static boolean isTransposed(OnnxNode gemm) {
        return gemm.attribute("transB").map(OnnxAttribute::integer).orElse(0L) != 0;
    }

    private boolean isFloat(String name) {
        return graph.isConstant(name) ? graph.floats(name).isPresent() : floats.contains(name);
    }

    private boolean isMarked(String name) {
        return marks.containsKey(name)
                || biases.stream().anyMatch(bias -> bias.name().equals(name));
    }

    private void activation(String name) {
        if (isFloat(name) && !isPassedOn(name)) {
            marks.putIfAbsent(name, Mark.ACTIVATION);
        }
    }

    /// What the model takes and gives as it is has no node between.
    private boolean isPassedOn(String name) {
        return graph.isOutput(name) && graph.maker(name) == null;
    }

    private void like(String output, String input) {
        if (isFloat(output) && graph.maker(output) != null) {
            marks.put(output, new Mark(false, -1, input));
        }
    }

    private void weight(String name, int axis) {
        if (!graph.isConstant(name)) {
            activation(name);
        } else if (graph.floats(name).isPresent()) {
            if (options.perChannel() && axis < graph.constant(name).dims().length) {
                marks.put(name, new Mark(true, axis, null));
            } else {
                marks.putIfAbsent(name, new Mark(true, -1, null));
            }
        }
    }

    private void bias(OnnxNode node) {
        List<String> inputs = node.inputs();
        if (inputs.size() > 2 && graph.floats(inputs.get(2)).isPresent()) {
            biases.add(new Bias(node, inputs.get(2), inputs.get(0), inputs.get(1)));
        }
    }

    private void product(OnnxNode node, int axis) {
        activation(node.inputs().get(0));
        activation(node.outputs().getFirst());
        weight(node.inputs().get(1), axis);
        bias(node);
    }

    private void matMul(OnnxNode node) {
        node.inputs().forEach(input -> weight(input, 1));
        activation(node.outputs().getFirst());
    }

    /// What a range of integers cuts off anyway needs no node.
    private void cut(OnnxNode node) throws IOException {
        String input = node.inputs().getFirst();
        String output = node.outputs().getFirst();
        if (!isMarked(input)) {
            return;
        }
        if (ranges.containsKey(output)
                && graph.maker(input) != null
                && hasOneTaker(input)
                && bytesCutOff(node)
                && Clips.holdZero(graph, node)) {
            graph.bypass(node);
            marks.remove(input);
        } else {
            activation(input);
        }
        activation(output);
    }

    /// Whether integers end where the values do. They do not where all that was seen is zero: it tells no scale, and
    /// with that of 1 only integers without a sign end at zero.
    private boolean bytesCutOff(OnnxNode node) {
        Range range = ranges.get(node.outputs().getFirst());
        return range.min() < 0
                || range.max() > 0
                || (options.activations() == ElementType.UINT8
                        && node.operator().isOnnx("Relu"));
    }

    private void follow(OnnxNode node) {
        String input = node.inputs().getFirst();
        if (isMarked(input)) {
            like(node.outputs().getFirst(), input);
        }
    }

    private void follow(OnnxNode node, int since) {
        if (graph.opset() >= since) {
            follow(node);
        }
    }

    private void split(OnnxNode node) {
        String input = node.inputs().getFirst();
        activation(input);
        node.outputs().forEach(output -> like(output, input));
    }

    private void gather(OnnxNode node) {
        String input = node.inputs().getFirst();
        if (graph.floats(input).isPresent()) {
            activation(input);
            like(node.outputs().getFirst(), input);
        } else {
            follow(node);
        }
    }

    private void pad(OnnxNode node) throws IOException {
        String input = node.inputs().getFirst();
        String output = node.outputs().getFirst();
        node.inputs().forEach(this::activation);
        if (padsWithWhatIsThere(node)) {
            like(output, input);
        } else {
            activation(output);
        }
    }

    private boolean padsWithWhatIsThere(OnnxNode node) throws IOException {
        String mode = node.attribute("mode").map(OnnxAttribute::text).orElse("constant");
        if (!mode.equals("constant")) {
            return true;
        }
        if (graph.opset() < 11) {
            return node.attribute("value").map(OnnxAttribute::real).orElse(0f) == 0;
        }
        List<String> inputs = node.inputs();
        if (inputs.size() < 3 || inputs.get(2).isEmpty()) {
            return true;
        }
        Optional<OnnxTensor> value = graph.floats(inputs.get(2));
        return value.isPresent() && graph.weights(inputs.get(2)).values()[0] == 0;
    }

    private void where(OnnxNode node) {
        if (isMarked(node.inputs().get(1)) && isMarked(node.inputs().get(2))) {
            activation(node.outputs().getFirst());
        }
    }

    private void normalize(OnnxNode node) {
        activation(node.inputs().get(0));
        weight(node.inputs().get(1), 1);
        bias(node);
        node.outputs().forEach(this::activation);
    }
}
