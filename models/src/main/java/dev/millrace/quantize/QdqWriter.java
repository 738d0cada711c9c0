// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Has values go through integers: what is calculated is followed by `QuantizeLinear` and
/// `DequantizeLinear`, constants are stored as integers before a `DequantizeLinear`. Names are those that
/// others know from ONNX Runtime's own tool.
///
/// Threads: one.
final class QdqWriter {
    /// The domain whose operators have scales for channels before ONNX's own have them.
    static final String CONTRIBUTED = "com.microsoft";

    private static final String QUANTIZE = "QuantizeLinear";
    private static final String DEQUANTIZE = "DequantizeLinear";

    /// How a value is quantized, and the names of its scale and zero point.
    private record Written(Grid grid, String scale, String zeroPoint) {}

    private final WorkGraph graph;
    private final Marks marks;
    private final Map<String, Range> ranges;
    private final ElementType activations;
    private final boolean reduced;
    private final String domain;
    private final Map<String, Written> written = new HashMap<>();

    /// @param reduced whether constants leave one bit free
    /// @param domain whose operators are used
    QdqWriter(
            WorkGraph graph,
            Marks marks,
            Map<String, Range> ranges,
            ElementType activations,
            boolean reduced,
            String domain) {
        this.graph = graph;
        this.marks = marks;
        this.ranges = ranges;
        this.activations = activations;
        this.reduced = reduced;
        this.domain = domain;
    }

    void write() throws IOException {
        Map<String, Grid> constants = constants();
        widenForBiases(constants);
        for (Map.Entry<String, Grid> constant : constants.entrySet()) {
            constant(constant.getKey(), constant.getValue());
        }
        marks.marks().forEach((name, mark) -> {
            if (!graph.isConstant(name) && mark.like() == null) {
                pair(name, own(name));
            }
        });
        followers();
        for (Marks.Bias bias : marks.biases()) {
            bias(bias);
        }
    }

    /// How what is calculated is quantized.
    private Grid activation(String name) {
        return Grid.of(ranges.get(name), activations, Grid.Span.of(activations, false, false));
    }

    /// Scale and zero point of its own for what is calculated.
    private Written own(String name) {
        Grid grid = activation(name);
        return new Written(grid, scale(name, grid), zeroPoint(name, grid));
    }

    private Map<String, Grid> constants() throws IOException {
        Map<String, Grid> grids = new LinkedHashMap<>();
        for (Map.Entry<String, Marks.Mark> marked : marks.marks().entrySet()) {
            String name = marked.getKey();
            Marks.Mark mark = marked.getValue();
            if (graph.isConstant(name)) {
                Weights weights = graph.weights(name);
                ElementType type = mark.weight() ? ElementType.INT8 : activations;
                Grid.Span span = Grid.Span.of(type, mark.weight(), reduced);
                grids.put(
                        name,
                        mark.axis() < 0
                                ? Grid.of(weights.range(), type, span)
                                : Grid.of(weights, mark.axis(), type, span));
            }
        }
        return grids;
    }

    private void widenForBiases(Map<String, Grid> constants) throws IOException {
        for (Marks.Bias bias : marks.biases()) {
            Grid weight = constants.get(bias.weight());
            boolean known = marks.marks().containsKey(bias.input()) && ranges.containsKey(bias.input());
            if (known && weight != null && weight.type() == ElementType.INT8 && isSymmetric(weight)) {
                Weights values = biasValues(bias);
                if (isQuantized(values, weight)) {
                    weight.widen(activation(bias.input()).scales()[0], values.values());
                }
            }
        }
    }

    private static boolean isSymmetric(Grid grid) {
        for (int zero : grid.zeroPoints()) {
            if (zero != 0) {
                return false;
            }
        }
        return true;
    }

    private void constant(String name, Grid grid) throws IOException {
        String integers = graph.unused(name + "_quantized");
        graph.add(
                OnnxTensor.of(integers, grid.type(), graph.constant(name).dims(), grid.quantize(graph.weights(name))));
        Written to = new Written(grid, scale(name, grid), zeroPoint(name, grid));
        String floats = graph.unused(name + "_DequantizeLinear_Output");
        graph.addFront(dequantize(name, integers, to, floats));
        graph.takeInstead(name, floats);
        written.put(name, to);
    }

    /// Both nodes for a value that is calculated.
    private void pair(String name, Written as) {
        String integers = graph.unused(name + "_QuantizeLinear_Output");
        String floats;
        String from;
        if (graph.isOutput(name)) {
            from = graph.unused(name + "_QuantizeLinear_Input");
            floats = name;
        } else {
            from = name;
            floats = graph.unused(name + "_DequantizeLinear_Output");
            graph.takeInstead(name, floats);
        }
        OnnxNode quantize = OnnxNode.of(
                new OperatorName(domain, QUANTIZE),
                name + "_QuantizeLinear",
                List.of(from, as.scale(), as.zeroPoint()),
                List.of(integers));
        graph.addBehind(name, quantize);
        graph.addBehind(name, dequantize(name, integers, as, floats));
        if (graph.isOutput(name)) {
            graph.makeAs(name, from);
        }
        written.put(name, as);
    }

    /// Those that have the scale of another value, once that one is there. Channels are those of the other one's
    /// dimensions: what has such scales is not followed.
    private void followers() {
        Map<String, Marks.Mark> left = new LinkedHashMap<>(marks.marks());
        boolean more = true;
        while (more) {
            more = left.entrySet().removeIf(marked -> {
                Written provider = written.get(marked.getValue().like());
                if (provider == null || written.containsKey(marked.getKey())) {
                    return false;
                }
                String name = marked.getKey();
                pair(name, provider.grid().axis() < 0 ? provider : own(name));
                return true;
            });
        }
    }

    private Weights biasValues(Marks.Bias bias) throws IOException {
        Weights weights = graph.weights(bias.name());
        float beta = bias.node().attribute("beta").map(OnnxAttribute::real).orElse(1f);
        if (beta != 1) {
            for (int i = 0; i < weights.values().length; i++) {
                weights.values()[i] *= beta;
            }
        }
        return weights;
    }

    private void bias(Marks.Bias bias) throws IOException {
        Written input = written.get(bias.input());
        Written weight = written.get(bias.weight());
        if (input == null || weight == null || input.grid().axis() >= 0 || written.containsKey(bias.name())) {
            return;
        }
        Weights values = biasValues(bias);
        float[] scales = weight.grid().scales().clone();
        if (!isQuantized(values, weight.grid())) {
            return;
        }
        ByteBuffer integers =
                ByteBuffer.allocate(Integer.BYTES * values.values().length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < scales.length; i++) {
            scales[i] *= input.grid().scales()[0];
        }
        for (int i = 0; i < values.values().length; i++) {
            double rounded = Math.rint((double) values.values()[i] / scales[scales.length == 1 ? 0 : i]);
            integers.putInt((int) Math.clamp(rounded, Integer.MIN_VALUE, Integer.MAX_VALUE));
        }
        // A bias that several nodes take is another one for each.
        String base = bias.name();
        for (int i = 0; graph.isKnown(base + "_quantized"); i++) {
            base = bias.name() + i;
        }
        String name = graph.unused(base + "_quantized");
        graph.add(OnnxTensor.of(name, ElementType.INT32, values.dims(), integers.array()));
        int axis = weight.grid().axis() < 0 ? -1 : channels(values, scales.length);
        Grid grid = new Grid(scales, new int[scales.length], ElementType.INT32, axis);
        String floats = graph.unused(base + "_DequantizeLinear_Output");
        Written as = new Written(grid, scale(name, grid), zeroPoint(name, grid));
        graph.addFront(dequantize(base, name, as, floats));
        graph.takeInstead(bias.node(), 2, floats);
        resetBeta(bias.node());
    }

    /// Whether a bias can have the scales of what is multiplied.
    private static boolean isQuantized(Weights bias, Grid weight) {
        int count = weight.scales().length;
        return count == 1 || channels(bias, count) >= 0;
    }

    /// The dimension of a bias that has an element for each channel: the last one, if there are no others.
    ///
    /// @return below 0 if it has not
    private static int channels(Weights bias, int count) {
        int last = bias.dims().length - 1;
        return last >= 0 && bias.dims()[last] == count && bias.values().length == count ? last : -1;
    }

    /// Its factor is in the integers.
    private static void resetBeta(OnnxNode node) {
        if (node.attribute("beta").isPresent()) {
            node.setAttributes(node.attributes().stream()
                    .filter(attribute -> !attribute.name().equals("beta"))
                    .toList());
        }
    }

    private OnnxNode dequantize(String name, String integers, Written as, String floats) {
        OperatorName operator = new OperatorName(domain, DEQUANTIZE);
        List<String> inputs = List.of(integers, as.scale(), as.zeroPoint());
        String node = name + "_DequantizeLinear";
        return as.grid().axis() < 0
                ? OnnxNode.of(operator, node, inputs, List.of(floats))
                : OnnxNode.of(
                        operator,
                        node,
                        inputs,
                        List.of(floats),
                        OnnxAttribute.of("axis", as.grid().axis()));
    }

    private String scale(String name, Grid grid) {
        String scale = graph.unused(name + "_scale");
        graph.add(OnnxTensor.ofFloats(scale, dims(grid), grid.scales()));
        return scale;
    }

    private String zeroPoint(String name, Grid grid) {
        String zeroPoint = graph.unused(name + "_zero_point");
        graph.add(zeroPoints(zeroPoint, grid));
        return zeroPoint;
    }

    static OnnxTensor zeroPoints(String name, Grid grid) {
        int[] values = grid.zeroPoints();
        boolean wide = grid.type() == ElementType.INT32;
        ByteBuffer raw =
                ByteBuffer.allocate(values.length * (wide ? Integer.BYTES : 1)).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            if (wide) {
                raw.putInt(value);
            } else {
                raw.put((byte) value);
            }
        }
        return OnnxTensor.of(name, grid.type(), dims(grid), raw.array());
    }

    static long[] dims(Grid grid) {
        return grid.axis() < 0 ? new long[0] : new long[] {grid.scales().length};
    }
}
