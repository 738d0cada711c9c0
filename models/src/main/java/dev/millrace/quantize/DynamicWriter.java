// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Has products with constant weights multiply integers, whose scale is taken from what comes in every run:
/// `DynamicQuantizeLinear`, the product of integers, and a multiplication with both scales.
///
/// Threads: one.
final class DynamicWriter {
    /// Since when ONNX has `DynamicQuantizeLinear`.
    static final int OPSET = 11;

    /// A value as integers, and what belongs to it.
    private record Quantized(String integers, String scale, String zeroPoint) {}

    /// A constant, and how it is wanted.
    private record Weight(String name, boolean transposed, int axis) {}

    private final WorkGraph graph;
    private final QuantizeOptions options;
    private final boolean reduced;
    private final Map<Weight, Quantized> weights = new HashMap<>();
    private final Map<String, Quantized> inputs = new HashMap<>();

    DynamicWriter(WorkGraph graph, QuantizeOptions options, boolean reduced) {
        this.graph = graph;
        this.options = options;
        this.reduced = reduced;
    }

    /// Rewrites a node, or says why not.
    Optional<String> rewrite(OnnxNode node) throws IOException {
        Optional<String> obstacle = obstacle(node);
        if (obstacle.isEmpty()) {
            if (node.operator().name().equals("Conv")) {
                convolution(node);
            } else {
                matMul(node, Marks.isTransposed(node));
            }
        }
        return obstacle;
    }

    private Optional<String> obstacle(OnnxNode node) {
        List<String> taken = node.inputs();
        if (graph.floats(taken.get(1)).isEmpty()) {
            return Optional.of("its weights are not a constant of floats of 32 bits");
        }
        if (graph.isConstant(taken.getFirst())) {
            return Optional.of("all that it takes is constant");
        }
        String obstacle = switch (node.operator().name()) {
            case "MatMul" -> graph.constant(taken.get(1)).dims().length < 2 ? "its weights are no matrix" : "";
            case "Gemm" ->
                real(node, "alpha") != 1 || real(node, "beta") != 1 || isSet(node, "transA")
                        ? "it has factors, or takes a matrix transposed"
                        : "";
            case "Conv" -> options.convolutions() ? "" : "convolutions are not quantized dynamically unless asked for";
            default -> "there is no such product of integers";
        };
        return Optional.of(obstacle).filter(reason -> !reason.isEmpty());
    }

    private static float real(OnnxNode node, String attribute) {
        return node.attribute(attribute).map(OnnxAttribute::real).orElse(1f);
    }

    private static boolean isSet(OnnxNode node, String attribute) {
        return node.attribute(attribute).map(OnnxAttribute::integer).orElse(0L) != 0;
    }

    private void matMul(OnnxNode node, boolean transposed) throws IOException {
        String name = node.inputs().get(1);
        int rank = graph.constant(name).dims().length;
        int axis = options.perChannel() && rank == 2 ? 1 : -1;
        Quantized weight = weight(name, transposed, axis);
        boolean biased = node.inputs().size() > 2 && !node.inputs().get(2).isEmpty();
        String output = node.outputs().getFirst();
        String scaled = biased ? graph.unused(output + "_scaled") : output;
        product(node, "MatMulInteger", weight, scaled);
        if (biased) {
            add(node, "Add", output + "_bias", List.of(scaled, node.inputs().get(2)), output);
        }
        graph.remove(node);
    }

    private void convolution(OnnxNode node) throws IOException {
        int rank = graph.constant(node.inputs().get(1)).dims().length;
        Quantized weight = weight(node.inputs().get(1), false, -1);
        boolean biased = node.inputs().size() > 2 && !node.inputs().get(2).isEmpty();
        String output = node.outputs().getFirst();
        String scaled = biased ? graph.unused(output + "_scaled") : output;
        OnnxAttribute[] attributes = node.attributes().toArray(OnnxAttribute[]::new);
        product(node, "ConvInteger", weight, scaled, attributes);
        if (biased) {
            long[] shape = new long[rank];
            Arrays.fill(shape, 1);
            shape[1] = -1;
            String shapeName = graph.unused(output + "_bias_shape");
            graph.add(OnnxTensor.ofLongs(shapeName, new long[] {rank}, shape));
            String bias = graph.unused(output + "_bias_shaped");
            add(node, "Reshape", output + "_bias_reshape", List.of(node.inputs().get(2), shapeName), bias);
            add(node, "Add", output + "_bias", List.of(scaled, bias), output);
        }
        graph.remove(node);
    }

    private void product(OnnxNode node, String operator, Quantized weight, String output, OnnxAttribute... attributes) {
        Quantized input = input(node.inputs().getFirst());
        String made = node.outputs().getFirst();
        String sums = graph.unused(made + "_output_quantized");
        String floats = graph.unused(sums + "_cast_output");
        String scale = graph.unused(made + "_scales");
        add(
                node,
                operator,
                made + "_quant",
                List.of(input.integers(), weight.integers(), input.zeroPoint(), weight.zeroPoint()),
                sums,
                attributes);
        OnnxAttribute to = OnnxAttribute.of("to", ElementType.FLOAT.code());
        add(node, "Cast", sums + "_cast", List.of(sums), floats, to);
        add(node, "Mul", made + "_scales_mul", List.of(input.scale(), weight.scale()), scale);
        add(node, "Mul", made + "_output_scale_mul", List.of(floats, scale), output);
    }

    /// What a product takes as integers, once for all products that take it.
    private Quantized input(String input) {
        return inputs.computeIfAbsent(input, _ -> {
            Quantized made = named(input);
            OnnxNode node = OnnxNode.of(
                    new OperatorName("", "DynamicQuantizeLinear"),
                    input + "_QuantizeLinear",
                    List.of(input),
                    List.of(made.integers(), made.scale(), made.zeroPoint()));
            graph.addBehind(input, node);
            return made;
        });
    }

    private Quantized named(String value) {
        return new Quantized(
                graph.unused(value + "_quantized"),
                graph.unused(value + "_scale"),
                graph.unused(value + "_zero_point"));
    }

    private Quantized weight(String name, boolean transposed, int axis) throws IOException {
        Weight key = new Weight(name, transposed, axis);
        Quantized known = weights.get(key);
        if (known == null) {
            Weights values = transposed ? graph.weights(name).transposed() : graph.weights(name);
            Grid.Span span = Grid.Span.of(ElementType.INT8, true, reduced);
            Grid grid = axis < 0
                    ? Grid.of(values.range(), ElementType.INT8, span)
                    : Grid.of(values, axis, ElementType.INT8, span);
            known = named(name);
            graph.add(OnnxTensor.of(known.integers(), ElementType.INT8, values.dims(), grid.quantize(values)));
            graph.add(OnnxTensor.ofFloats(known.scale(), QdqWriter.dims(grid), grid.scales()));
            graph.add(QdqWriter.zeroPoints(known.zeroPoint(), grid));
            weights.put(key, known);
        }
        return known;
    }

    private void add(
            OnnxNode place,
            String operator,
            String name,
            List<String> taken,
            String output,
            OnnxAttribute... attributes) {
        graph.addBehind(place, OnnxNode.of(new OperatorName("", operator), name, taken, List.of(output), attributes));
    }
}
