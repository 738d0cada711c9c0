// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.TensorValues;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A model's main graph while it is rewritten: who makes and takes its values, what is added to it and
/// where, and what becomes superfluous. The file is changed by [#finish()].
///
/// Threads: one. Ownership: the file is the caller's.
final class WorkGraph {
    private static final long FREE_CONSTANTS = 4;

    private final OnnxFile file;
    private final OnnxGraph graph;
    private final List<OnnxNode> nodes;
    private final Map<String, OnnxTensor> constants = new LinkedHashMap<>();
    private final Map<String, OnnxNode> makers = new HashMap<>();
    private final Map<String, List<OnnxNode>> takers = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();
    private final Set<String> inner = new HashSet<>();
    private final Set<String> names = new HashSet<>();

    private final List<OnnxNode> front = new ArrayList<>();
    private final Map<OnnxNode, List<OnnxNode>> behind = new HashMap<>();
    private final Set<OnnxNode> removed = new HashSet<>();
    private final Set<String> replaced = new LinkedHashSet<>();
    private final Map<String, OnnxTensor> added = new LinkedHashMap<>();
    private final Map<String, String> renamed = new HashMap<>();
    private final Set<String> written = new HashSet<>();
    private List<String> fixed = List.of();

    WorkGraph(OnnxFile file) {
        this.file = file;
        this.graph = file.graph();
        this.nodes = new ArrayList<>(graph.nodes());
        graph.initializers().forEach(tensor -> constants.put(tensor.name(), tensor));
        graph.outputs().forEach(value -> outputs.add(value.name()));
        graph.inputs().forEach(value -> names.add(value.name()));
        names.addAll(constants.keySet());
        liftConstants();
        for (OnnxNode node : nodes) {
            node.outputs().forEach(output -> makers.put(output, node));
            names.addAll(node.outputs());
            node.inputs()
                    .forEach(input -> takers.computeIfAbsent(input, _ -> new ArrayList<>())
                            .add(node));
            node.graphs().forEach(this::lookInside);
        }
    }

    /// Nodes that are a constant of floats become initializers, as which they can be quantized.
    private void liftConstants() {
        nodes.removeIf(node -> {
            Optional<OnnxTensor> value = node.operator().isOnnx("Constant")
                    ? node.attribute("value").flatMap(OnnxAttribute::tensor)
                    : Optional.empty();
            if (value.isEmpty() || value.get().type() != ElementType.FLOAT) {
                return false;
            }
            String name = node.outputs().getFirst();
            if (outputs.contains(name)) {
                return false;
            }
            value.get().message().setText(8, name);
            constants.put(name, value.get());
            added.put(name, value.get());
            names.add(name);
            return true;
        });
    }

    /// A name in a body must be another one than any around it.
    private void lookInside(OnnxGraph body) {
        body.outputs().forEach(value -> inner.add(value.name()));
        body.inputs().forEach(value -> names.add(value.name()));
        body.initializers().forEach(tensor -> names.add(tensor.name()));
        names.addAll(body.sparseShapes().keySet());
        for (OnnxNode node : body.nodes()) {
            inner.addAll(node.inputs());
            names.addAll(node.outputs());
            node.graphs().forEach(this::lookInside);
        }
    }

    /// The model's nodes in their order.
    List<OnnxNode> nodes() {
        return nodes;
    }

    long opset() {
        return file.opsets().getOrDefault("ai.onnx", 1L);
    }

    boolean isConstant(String name) {
        return constants.containsKey(name);
    }

    /// A constant of floats; empty if it is none.
    Optional<OnnxTensor> floats(String name) {
        return Optional.ofNullable(constants.get(name)).filter(tensor -> tensor.type() == ElementType.FLOAT);
    }

    OnnxTensor constant(String name) {
        return constants.get(name);
    }

    /// The elements of a constant of floats, whatever they are.
    Weights elements(String name) throws IOException {
        OnnxTensor tensor = constants.get(name);
        return new Weights(tensor.dims(), TensorValues.floats(file, tensor));
    }

    /// The elements of a constant of floats that is to be written as integers.
    Weights weights(String name) throws IOException {
        Weights weights = elements(name);
        written.add(name);
        for (float value : weights.values()) {
            if (!Float.isFinite(value)) {
                throw new InvalidModelException("constant '" + name + "' has an element " + value
                        + ", expected finite ones; exclude the nodes that take it");
            }
        }
        return weights;
    }

    boolean isOutput(String name) {
        return outputs.contains(name);
    }

    /// Who makes it; null for what the model takes, and constants.
    OnnxNode maker(String name) {
        return makers.get(name);
    }

    /// Whether one node takes it, once, and nobody else.
    boolean hasOneTaker(String name) {
        return !outputs.contains(name)
                && !inner.contains(name)
                && takers.getOrDefault(name, List.of()).size() == 1;
    }

    /// Whether something has this name.
    boolean isKnown(String name) {
        return names.contains(name);
    }

    /// A name that nothing has.
    String unused(String wanted) {
        String name = wanted;
        for (int i = 1; !names.add(name); i++) {
            name = wanted + "_" + i;
        }
        return name;
    }

    /// Takes a node out whose input is from now on made by the name of its output.
    void bypass(OnnxNode node) {
        String from = node.inputs().getFirst();
        String to = node.outputs().getFirst();
        OnnxNode maker = makers.remove(from);
        rename(maker, from, to);
        makers.put(to, maker);
        remove(node);
    }

    /// Takes a node out; its outputs have to be made by what is added.
    void remove(OnnxNode node) {
        removed.add(node);
        replaced.addAll(node.inputs());
    }

    /// Has a value made by another name, and be given by what is added.
    void makeAs(String name, String other) {
        rename(makers.get(name), name, other);
    }

    private static void rename(OnnxNode maker, String from, String to) {
        maker.setOutputs(maker.outputs().stream()
                .map(output -> output.equals(from) ? to : output)
                .toList());
    }

    /// Has all nodes of the model take another value instead.
    void takeInstead(String name, String other) {
        renamed.put(name, other);
        replaced.add(name);
    }

    /// Has one node take another value instead.
    void takeInstead(OnnxNode node, int input, String other) {
        List<String> inputs = new ArrayList<>(node.inputs());
        replaced.add(inputs.get(input));
        inputs.set(input, other);
        node.setInputs(inputs);
    }

    void add(OnnxTensor constant) {
        added.put(constant.name(), constant);
    }

    /// Adds a node before all others.
    void addFront(OnnxNode node) {
        front.add(node);
    }

    /// Adds a node where a value of the model is there.
    void addBehind(String value, OnnxNode node) {
        OnnxNode maker = makers.get(value);
        if (maker == null) {
            front.add(node);
        } else {
            addBehind(maker, node);
        }
    }

    /// Adds a node behind another.
    void addBehind(OnnxNode place, OnnxNode node) {
        behind.computeIfAbsent(place, _ -> new ArrayList<>()).add(node);
    }

    /// The inputs with a constant for a default that the graph has not, or not only, from whoever runs it any more;
    /// known when it is finished.
    List<String> fixedInputs() {
        return fixed;
    }

    /// Writes it all to the file's graph.
    void finish() {
        List<OnnxNode> all = new ArrayList<>(front);
        for (OnnxNode node : nodes) {
            if (!removed.contains(node)) {
                if (node.inputs().stream().anyMatch(renamed::containsKey)) {
                    node.setInputs(node.inputs().stream()
                            .map(input -> renamed.getOrDefault(input, input))
                            .toList());
                }
                all.add(node);
            }
            all.addAll(behind.getOrDefault(node, List.of()));
        }
        graph.setNodes(all);
        Set<String> taken = new HashSet<>(outputs);
        taken.addAll(inner);
        all.forEach(node -> taken.addAll(node.inputs()));
        Set<String> gone = new HashSet<>(replaced);
        gone.retainAll(constants.keySet());
        gone.removeAll(taken);
        setConstants(gone);
        dropInfos(all, gone);
    }

    private void setConstants(Set<String> gone) {
        List<OnnxTensor> tensors = new ArrayList<>(graph.initializers());
        tensors.addAll(added.values());
        tensors.removeIf(tensor -> gone.contains(tensor.name()));
        graph.setInitializers(tensors);
        Set<String> dropped = new HashSet<>(gone);
        boolean replaceable = file.irVersion() >= FREE_CONSTANTS;
        if (!replaceable) {
            // Before, constants had to be named as inputs; since, those that are may be replaced by who runs it.
            file.message().setNumber(1, FREE_CONSTANTS);
            dropped.addAll(constants.keySet());
        }
        List<OnnxValue> inputs = graph.inputs();
        if (replaceable) {
            written.addAll(gone);
            fixed = inputs.stream()
                    .map(OnnxValue::name)
                    .filter(written::contains)
                    .toList();
        }
        List<OnnxValue> kept =
                inputs.stream().filter(value -> !dropped.contains(value.name())).toList();
        if (kept.size() < inputs.size()) {
            graph.setInputs(kept);
        }
    }

    /// What is said of values that are not there any more, or are something else now.
    private void dropInfos(List<OnnxNode> all, Set<String> gone) {
        Set<String> made = new HashSet<>();
        all.forEach(node -> made.addAll(node.outputs()));
        List<OnnxValue> infos = graph.valueInfos();
        List<OnnxValue> kept = infos.stream()
                .filter(info -> made.contains(info.name())
                        || (names.contains(info.name())
                                && !gone.contains(info.name())
                                && !makers.containsKey(info.name())))
                .toList();
        if (kept.size() < infos.size()) {
            graph.setValueInfos(kept);
        }
    }
}
