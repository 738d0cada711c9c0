// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OperatorName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Raises the version of ONNX's operators that a model uses to 10, the first with operators on bytes. Few
/// operators have changed before in other ways than by taking more: what was an attribute is an input.
///
/// Threads: one.
final class OperatorVersions {
    /// The first with operators on bytes.
    static final long BYTES = 10;

    /// Before, operators are told which dimensions to broadcast.
    private static final long OLDEST = 7;

    private final long from;
    private final Set<String> names = new HashSet<>();

    private OperatorVersions(long from) {
        this.from = from;
    }

    /// Raises the version if it is lower.
    ///
    /// @throws InvalidModelException if it is too low, or something has no successor
    static void raise(OnnxFile file) {
        long from = file.opsets().getOrDefault(OperatorName.ONNX, BYTES);
        if (from >= BYTES) {
            return;
        }
        if (from < OLDEST) {
            throw new InvalidModelException(
                    "the model uses version " + from + " of ONNX's operators, expected at least " + OLDEST);
        }
        OperatorVersions versions = new OperatorVersions(from);
        versions.collect(file.graph());
        versions.raise(file.graph());
        file.setOpset(OperatorName.ONNX, BYTES);
    }

    private void collect(OnnxGraph graph) {
        graph.inputs().forEach(value -> names.add(value.name()));
        graph.initializers().forEach(tensor -> names.add(tensor.name()));
        for (OnnxNode node : graph.nodes()) {
            names.addAll(node.outputs());
            node.graphs().forEach(this::collect);
        }
    }

    private void raise(OnnxGraph graph) {
        List<OnnxTensor> constants = new ArrayList<>();
        for (OnnxNode node : graph.nodes()) {
            if (node.operator().domain().equals(OperatorName.ONNX)) {
                raise(node, constants);
            }
            node.graphs().forEach(this::raise);
        }
        if (!constants.isEmpty()) {
            constants.addAll(0, graph.initializers());
            graph.setInitializers(constants);
        }
    }

    private void raise(OnnxNode node, List<OnnxTensor> constants) {
        switch (node.operator().name()) {
            case "Slice" -> {
                integers(node, "starts", constants);
                integers(node, "ends", constants);
                integers(node, "axes", constants);
            }
            case "TopK" -> {
                long k = node.attribute("k").map(OnnxAttribute::integer).orElse(1L);
                append(node, "k", constants, name -> OnnxTensor.ofLongs(name, new long[] {1}, k));
            }
            case "Upsample" -> upsample(node, constants);
            case "BatchNormalization" -> {
                if (node.attribute("spatial").map(OnnxAttribute::integer).orElse(1L) != 1) {
                    throw new InvalidModelException(
                            node.describe() + " is not over channels, expected spatial to be 1");
                }
                drop(node, "spatial");
            }
            default -> {
                // It only takes more than it did.
            }
        }
    }

    private void upsample(OnnxNode node, List<OnnxTensor> constants) {
        Optional<OnnxAttribute> scales = node.attribute("scales");
        if (from < 9 && scales.isPresent()) {
            float[] factors = scales.get().reals();
            append(node, "scales", constants, name -> OnnxTensor.ofFloats(name, new long[] {factors.length}, factors));
        }
        node.setOperator(new OperatorName(OperatorName.ONNX, "Resize"));
    }

    /// Makes an attribute of whole numbers the next input.
    private void integers(OnnxNode node, String attribute, List<OnnxTensor> constants) {
        Optional<OnnxAttribute> values = node.attribute(attribute);
        if (values.isPresent()) {
            long[] integers = values.get().integers();
            append(
                    node,
                    attribute,
                    constants,
                    name -> OnnxTensor.ofLongs(name, new long[] {integers.length}, integers));
        }
    }

    /// Makes a constant of a name.
    private interface Maker {
        OnnxTensor make(String name);
    }

    private void append(OnnxNode node, String attribute, List<OnnxTensor> constants, Maker maker) {
        String wanted = node.outputs().getFirst() + "_" + attribute;
        String name = wanted;
        for (int i = 1; !names.add(name); i++) {
            name = wanted + "_" + i;
        }
        constants.add(maker.make(name));
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.add(name);
        node.setInputs(inputs);
        drop(node, attribute);
    }

    private static void drop(OnnxNode node, String attribute) {
        node.setAttributes(node.attributes().stream()
                .filter(other -> !other.name().equals(attribute))
                .toList());
    }
}
