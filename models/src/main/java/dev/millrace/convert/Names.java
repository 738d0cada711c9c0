// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/// The names of a model's values, those in branches and loops among them: what a graph has, no body in it may have
/// again. Threads: one.
final class Names {
    private final Set<String> taken = new HashSet<>();

    Names(OnnxGraph graph) {
        collect(graph);
    }

    private void collect(OnnxGraph graph) {
        graph.initializers().forEach(tensor -> taken.add(tensor.name()));
        taken.addAll(graph.sparseShapes().keySet());
        Stream.concat(graph.inputs().stream(), graph.outputs().stream()).forEach(value -> taken.add(value.name()));
        for (OnnxNode node : graph.nodes()) {
            taken.addAll(node.inputs());
            taken.addAll(node.outputs());
            node.graphs().forEach(this::collect);
        }
    }

    /// A name that nothing has, and that is taken then.
    ///
    /// @param wanted how it begins
    String free(String wanted) {
        String free = wanted;
        for (int i = 2; !taken.add(free); i++) {
            free = wanted + "_" + i;
        }
        return free;
    }
}
