// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxValue;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/// Follows numbers that halves do not reach where no run tells of them: in branches and loops, and in models that do
/// not run on random inputs. What takes such numbers is taken to make such, but for operators with bounds of their own.
///
/// Threads: one. Ownership: the types are the caller's, and are added to.
final class BodyRanges {
    /// What makes numbers within the range of halves, whatever it takes.
    private static final Set<String> BOUNDED =
            Set.of("Cos", "Erf", "HardSigmoid", "Sigmoid", "Sign", "Sin", "Softmax", "Softsign", "Tanh");

    private final HalfTypes types;
    private final HalfConstants constants;

    /// @param types those of the values in the graph
    /// @param constants those of the graph
    BodyRanges(HalfTypes types, HalfConstants constants) {
        this.types = types;
        this.constants = constants;
    }

    /// Notes what a branch or a loop is given and has to give, and what follows from it.
    ///
    /// @param node whose body it is
    void follow(OnnxNode node, OnnxGraph body) throws IOException {
        List<OnnxValue> given = body.inputs();
        for (int i = 0; i < Math.min(given.size(), node.inputs().size()); i++) {
            if (isBeyond(node.inputs().get(i))) {
                types.addBeyond(given.get(i).name());
            }
        }
        if (node.outputs().stream().anyMatch(types::isBeyond)) {
            body.outputs().forEach(output -> types.addBeyond(output.name()));
        }
        follow(body);
        if (body.outputs().stream().anyMatch(output -> types.isBeyond(output.name()))) {
            // A loop may take them again.
            given.forEach(input -> types.addBeyond(input.name()));
            follow(body);
        }
    }

    /// Notes what follows from constants, and what is noted already.
    void follow(OnnxGraph graph) throws IOException {
        for (OnnxNode node : graph.nodes()) {
            HalfNode read = HalfNode.of(node);
            if (makesBeyond(read)) {
                read.outputs().forEach(types::addBeyond);
            }
        }
    }

    private boolean makesBeyond(HalfNode node) throws IOException {
        String name = node.operator().name();
        if (BOUNDED.contains(name)) {
            return false;
        }
        if (constants.isBeyond(node)) {
            return true;
        }
        for (String input : node.inputs()) {
            // Whole numbers say where things are, unless they become floats.
            if ((name.equals("Cast") || types.isFloat(input)) && isBeyond(input)) {
                return true;
            }
        }
        for (OnnxGraph body : node.node().graphs()) {
            HalfTypes inside = types.within(node.node(), body, constants.within(body));
            if (body.outputs().stream().anyMatch(output -> inside.isBeyond(output.name()))) {
                return true;
            }
        }
        return false;
    }

    private boolean isBeyond(String name) throws IOException {
        return types.isBeyond(name) || constants.isBeyond(name);
    }
}
