// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxNode;
import java.io.IOException;
import java.util.List;

/// The bounds of nodes that cut values off. Stateless.
final class Clips {
    private Clips() {}

    /// Whether zero is within the bounds, as it is within those of integers: only then do these cut off the
    /// same.
    static boolean holdZero(WorkGraph graph, OnnxNode node) throws IOException {
        if (node.operator().isOnnx("Relu")) {
            return true;
        }
        if (graph.opset() < 11) {
            float min = node.attribute("min").map(OnnxAttribute::real).orElse(-Float.MAX_VALUE);
            float max = node.attribute("max").map(OnnxAttribute::real).orElse(Float.MAX_VALUE);
            return min <= 0 && max >= 0;
        }
        return bound(graph, node, 1, -1) <= 0 && bound(graph, node, 2, 1) >= 0;
    }

    /// @return NaN for a bound that is not known
    private static float bound(WorkGraph graph, OnnxNode node, int input, float none) throws IOException {
        List<String> inputs = node.inputs();
        if (inputs.size() <= input || inputs.get(input).isEmpty()) {
            return none;
        }
        if (graph.floats(inputs.get(input)).isEmpty()) {
            return Float.NaN;
        }
        float[] values = graph.elements(inputs.get(input)).values();
        return values.length == 1 ? values[0] : Float.NaN;
    }
}
