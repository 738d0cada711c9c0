// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OperatorName;
import java.util.List;
import java.util.stream.Stream;

/// A node, with what is asked of it again and again read once: reading it from the file's bytes each time takes heap of
/// what the file is allowed.
///
/// Immutable, but for the node, which is the file's.
///
/// @param node it
/// @param operator what it does
/// @param inputs what it took before anything was changed
/// @param outputs what it made before
record HalfNode(OnnxNode node, OperatorName operator, List<String> inputs, List<String> outputs) {
    static HalfNode of(OnnxNode node) {
        return new HalfNode(node, node.operator(), node.inputs(), node.outputs());
    }

    /// Whether it is one of ONNX's own operators, of this name.
    boolean is(String name) {
        return operator.isOnnx(name);
    }

    /// What it takes and makes.
    Stream<String> values() {
        return Stream.concat(inputs.stream(), outputs.stream());
    }

    /// Whether it does not matter to it what the elements of its input are.
    boolean isIndifferent() {
        return is("Shape") || is("Size");
    }
}
