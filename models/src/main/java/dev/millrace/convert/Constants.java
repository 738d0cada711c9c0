// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What is constant in a graph: tensors and nodes that are called `Constant`. Threads: one.
final class Constants {
    private final Map<String, OnnxTensor> tensors = new HashMap<>();
    private final Map<String, long[]> integers = new HashMap<>();

    Constants(OnnxGraph graph) {
        for (OnnxTensor tensor : graph.initializers()) {
            tensors.put(tensor.name(), tensor);
        }
        graph.nodes().forEach(this::add);
    }

    private void add(OnnxNode node) {
        if (!node.operator().isOnnx("Constant")) {
            return;
        }
        String name = node.outputs().getFirst();
        node.attribute("value").flatMap(OnnxAttribute::tensor).ifPresent(tensor -> tensors.put(name, tensor));
        node.attribute("value_ints").map(OnnxAttribute::integers).ifPresent(values -> integers.put(name, values));
    }

    /// Whole numbers, if they are constant and few.
    Optional<long[]> integers(String name, int most) {
        return Optional.ofNullable(integers.get(name))
                .or(() -> Optional.ofNullable(tensors.get(name)).flatMap(tensor -> tensor.integers(most)));
    }
}
