// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the values in a branch or a loop are, which ONNX Runtime does not tell: followed from what it takes, node by
/// node. What is not followed is not known, and nothing is done with it. Stateless.
final class BodyTypes {
    /// What gives whole numbers or truths, whatever it takes.
    private static final Set<String> OTHER = Set.of(
            "And",
            "ArgMax",
            "ArgMin",
            "Equal",
            "Greater",
            "GreaterOrEqual",
            "IsInf",
            "IsNaN",
            "Less",
            "LessOrEqual",
            "NonMaxSuppression",
            "NonZero",
            "Not",
            "Or",
            "QuantizeLinear",
            "Shape",
            "Size",
            "Xor");

    /// What gives, first or alone, what it takes first.
    private static final Set<String> FIRST = Set.of(
            "Abs",
            "Add",
            "AveragePool",
            "BatchNormalization",
            "Ceil",
            "Clip",
            "Compress",
            "Concat",
            "Conv",
            "ConvTranspose",
            "CumSum",
            "DepthToSpace",
            "Div",
            "Dropout",
            "Einsum",
            "Elu",
            "Erf",
            "Exp",
            "Expand",
            "Flatten",
            "Floor",
            "Gather",
            "GatherElements",
            "GatherND",
            "Gemm",
            "GlobalAveragePool",
            "GlobalMaxPool",
            "HardSigmoid",
            "Identity",
            "InstanceNormalization",
            "LayerNormalization",
            "LeakyRelu",
            "Log",
            "LogSoftmax",
            "MatMul",
            "Max",
            "MaxPool",
            "Mean",
            "Min",
            "Mod",
            "Mul",
            "Neg",
            "PRelu",
            "Pad",
            "Pow",
            "Range",
            "Reciprocal",
            "ReduceL1",
            "ReduceL2",
            "ReduceMax",
            "ReduceMean",
            "ReduceMin",
            "ReduceProd",
            "ReduceSum",
            "Relu",
            "Reshape",
            "Resize",
            "ReverseSequence",
            "Round",
            "ScatterElements",
            "ScatterND",
            "Selu",
            "Sigmoid",
            "Sign",
            "Sin",
            "Cos",
            "Slice",
            "Softmax",
            "Softplus",
            "Softsign",
            "SpaceToDepth",
            "Sqrt",
            "Squeeze",
            "Sub",
            "Sum",
            "Tanh",
            "Tile",
            "TopK",
            "Transpose",
            "Trilu",
            "Unsqueeze");

    /// What gives all that it gives of the type that it takes first.
    private static final Set<String> ALL_FIRST = Set.of("GRU", "LSTM", "RNN", "Split");

    private BodyTypes() {}

    /// The types of the values that a body makes or is given, where they are known; those of its constants not.
    ///
    /// @param outside what is known of the values outside
    static Map<String, Boolean> floats(OnnxGraph body, HalfTypes outside) {
        Map<String, Boolean> known = new HashMap<>();
        body.inputs().forEach(input -> declare(input, known));
        for (OnnxTensor tensor : body.initializers()) {
            known.put(tensor.name(), tensor.type() == ElementType.FLOAT);
        }
        for (OnnxNode node : body.nodes()) {
            follow(node, known, outside);
        }
        return known;
    }

    private static void declare(OnnxValue value, Map<String, Boolean> known) {
        value.elementType().ifPresent(type -> known.put(value.name(), type == ElementType.FLOAT));
    }

    private static void follow(OnnxNode node, Map<String, Boolean> known, HalfTypes outside) {
        if (!node.operator().isOnnx(node.operator().name())) {
            return;
        }
        String name = node.operator().name();
        List<String> outputs = node.outputs();
        if (ALL_FIRST.contains(name)) {
            Optional<Boolean> first = type(node, 0, known, outside);
            outputs.forEach(output -> first.ifPresent(type -> known.put(output, type)));
            return;
        }
        if (name.equals("If")) {
            // Both branches give the same.
            List<OnnxGraph> branches = node.graphs();
            for (int i = 0; i < outputs.size() && !branches.isEmpty(); i++) {
                List<OnnxValue> given = branches.getFirst().outputs();
                Optional<ElementType> type = i < given.size() ? given.get(i).elementType() : Optional.empty();
                if (type.isPresent()) {
                    known.put(outputs.get(i), type.get() == ElementType.FLOAT);
                }
            }
            return;
        }
        first(node, known, outside).ifPresent(type -> known.put(outputs.getFirst(), type));
        if (Set.of("TopK", "MaxPool", "Dropout").contains(name) && outputs.size() > 1) {
            known.put(outputs.get(1), false);
        }
    }

    /// Whether what a node gives first is of floats.
    private static Optional<Boolean> first(OnnxNode node, Map<String, Boolean> known, HalfTypes outside) {
        String name = node.operator().name();
        return switch (name) {
            case "Constant" -> constant(node);
            case "ConstantOfShape" ->
                Optional.of(node.attribute("value")
                        .flatMap(OnnxAttribute::tensor)
                        .map(tensor -> tensor.type() == ElementType.FLOAT)
                        .orElse(true));
            case "Cast" ->
                Optional.of(node.attribute("to").map(OnnxAttribute::integer).orElse(0L) == ElementType.FLOAT.code());
            case "Where", "CastLike", "DequantizeLinear" -> type(node, 1, known, outside);
            case "OneHot" -> type(node, 2, known, outside);
            default ->
                OTHER.contains(name)
                        ? Optional.of(false)
                        : FIRST.contains(name) ? type(node, 0, known, outside) : Optional.empty();
        };
    }

    private static Optional<Boolean> constant(OnnxNode node) {
        if (node.attribute("sparse_value").isPresent()) {
            return Optional.empty();
        }
        return Optional.of(node.attribute("value_float").isPresent()
                || node.attribute("value_floats").isPresent()
                || node.attribute("value")
                        .flatMap(OnnxAttribute::tensor)
                        .filter(tensor -> tensor.type() == ElementType.FLOAT)
                        .isPresent());
    }

    private static Optional<Boolean> type(OnnxNode node, int input, Map<String, Boolean> known, HalfTypes outside) {
        if (input >= node.inputs().size()) {
            return Optional.empty();
        }
        String name = node.inputs().get(input);
        return Optional.ofNullable(known.get(name))
                .or(() -> outside.isTensor(name) ? Optional.of(outside.isFloat(name)) : Optional.empty());
    }
}
