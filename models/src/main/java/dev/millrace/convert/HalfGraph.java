// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Rewrites a graph for half precision. A value of floats that nodes of both kinds want is there twice: by its name as
/// floats, by another as halves, with a cast from the one that its node makes. So nothing needs to know of the
/// rewriting that is not rewritten: branches and loops, which take values by name, and those who use the model.
/// Branches and loops are rewritten each for itself; what they take and give stays as it is.
///
/// Threads: one. Ownership: the file is the caller's, and is changed.
final class HalfGraph {
    private static final OperatorName CAST = new OperatorName("", "Cast");

    private final OnnxGraph graph;
    private final HalfTypes types;
    private final HalfOperators operators;
    private final HalfConstants constants;
    private final WholeNumbers wholeNumbers;
    /// The nodes that work on halves, by their place.
    private final Set<Integer> converted = new HashSet<>();
    /// Values that are wanted as floats.
    private final Set<String> wantedFloat = new HashSet<>();
    /// Values that are made as halves, and their names as such.
    private final Map<String, String> halves = new HashMap<>();
    /// Values that are made as halves and have been cast.
    private final Set<String> cast = new HashSet<>();
    private final Names names;
    /// Whether branches and loops are rewritten, too.
    private final boolean inBodies;

    private final List<OnnxNode> nodes = new ArrayList<>();
    private final Map<OperatorName, Integer> kept = new TreeMap<>();
    private int nodesInside;
    private int outOfRange;
    private int exact;
    private int constantCount;
    private int defaults;
    private long raised;
    private int casts;

    HalfGraph(OnnxFile file, HalfTypes types, HalfOperators operators, boolean inBodies) throws IOException {
        this.graph = file.graph();
        this.constants = new HalfConstants(file, graph);
        this.wholeNumbers = WholeNumbers.of(graph);
        this.types = types;
        this.operators = operators;
        this.names = new Names(graph);
        this.inBodies = inBodies;
        types.addConstants(graph);
        if (!types.isSeen()) {
            new BodyRanges(types, constants).follow(graph);
        }
    }

    /// @param node whose body it is
    private HalfGraph(HalfGraph outside, OnnxNode node, OnnxGraph body) throws IOException {
        this.graph = body;
        this.constants = outside.constants.within(body);
        this.types = outside.types.within(node, body, constants);
        this.operators = outside.operators;
        this.wholeNumbers = outside.wholeNumbers;
        this.names = outside.names;
        this.inBodies = outside.inBodies;
        types.addConstants(body);
    }

    void convert() throws IOException {
        List<HalfNode> before = graph.nodes().stream().map(HalfNode::of).toList();
        for (int i = 0; i < before.size(); i++) {
            decide(i, before.get(i));
        }
        for (int i = 0; i < before.size(); i++) {
            if (!converted.contains(i) && !before.get(i).isIndifferent()) {
                wantedFloat.addAll(before.get(i).inputs());
                before.get(i).node().graphs().forEach(this::want);
            }
        }
        graph.outputs().forEach(output -> wantedFloat.add(output.name()));
        convertConstants(before);
        for (int i = 0; i < before.size(); i++) {
            rewrite(before.get(i), converted.contains(i));
        }
        graph.outputs().forEach(output -> asFloat(output.name()));
        graph.setNodes(nodes);
        for (OnnxValue value : graph.valueInfos()) {
            if (value.name().equals(halves.get(value.name()))) {
                value.setElementType(ElementType.FLOAT16);
            }
        }
    }

    /// How many nodes work on halves, those in branches and loops among them.
    int nodes() {
        return converted.size() + nodesInside;
    }

    HalfPrecision.Result result(Agreement agreement) {
        return new HalfPrecision.Result(
                nodes(), Map.copyOf(kept), outOfRange, exact, constantCount, defaults, raised, casts, agreement);
    }

    private void decide(int place, HalfNode node) throws IOException {
        if (node.isIndifferent() || node.values().noneMatch(types::isFloat)) {
            return;
        }
        boolean tensorsOnly = node.values().allMatch(name -> name.isEmpty() || types.isTensor(name));
        boolean isUnread = node.is("Constant") && HalfConstants.value(node).isEmpty();
        if (!tensorsOnly || isUnread || !operators.allow(node)) {
            kept.merge(node.operator(), 1, Integer::sum);
        } else if (isOutOfRange(node)) {
            kept.merge(node.operator(), 1, Integer::sum);
            outOfRange++;
        } else if (wholeNumbers.has(node)) {
            kept.merge(node.operator(), 1, Integer::sum);
            exact++;
        } else {
            converted.add(place);
        }
    }

    private boolean isOutOfRange(HalfNode node) throws IOException {
        if (node.values().anyMatch(name -> types.isFloat(name) && types.isBeyond(name))) {
            return true;
        }
        for (String input : node.inputs()) {
            if (types.isFloat(input) && constants.isBeyond(input)) {
                return true;
            }
        }
        return constants.isBeyond(node);
    }

    /// Notes the values that a node takes as they are.
    private void want(OnnxNode node) {
        wantedFloat.addAll(node.inputs());
        node.graphs().forEach(this::want);
    }

    private void want(OnnxGraph body) {
        body.nodes().forEach(this::want);
        body.outputs().forEach(output -> wantedFloat.add(output.name()));
    }

    /// Constants that only halves are wanted of become halves, those wanted as both are there twice.
    private void convertConstants(List<HalfNode> before) throws IOException {
        Set<String> wantedHalf = new HashSet<>();
        converted.forEach(place -> wantedHalf.addAll(before.get(place).inputs()));
        List<OnnxTensor> tensors = new ArrayList<>();
        for (OnnxTensor tensor : graph.initializers()) {
            Optional<HalfTensor> made =
                    wantedHalf.contains(tensor.name()) ? constants.own(tensor.name()) : Optional.empty();
            if (made.isEmpty()) {
                defaults += wantedHalf.contains(tensor.name()) && constants.isDefault(tensor) ? 1 : 0;
                tensors.add(tensor);
                continue;
            }
            HalfTensor half = made.get();
            constantCount++;
            raised += half.raised();
            String name = tensor.name();
            if (wantedFloat.contains(name)) {
                tensors.add(tensor);
                cast.add(name);
                name = names.free(name + "_fp16");
            }
            halves.put(tensor.name(), name);
            tensors.add(half.tensor(name, tensor.dims()));
        }
        graph.setInitializers(tensors);
        for (OnnxValue input : graph.inputs()) {
            if (input.name().equals(halves.get(input.name()))) {
                input.setElementType(ElementType.FLOAT16); // a constant that early files name here, too
            }
        }
    }

    private void rewrite(HalfNode read, boolean toHalf) throws IOException {
        OnnxNode node = read.node();
        if (read.isIndifferent()) {
            List<String> inputs = read.inputs().stream()
                    .map(name -> wantedFloat.contains(name) ? name : halves.getOrDefault(name, name))
                    .toList();
            node.setInputs(inputs);
            inputs.forEach(this::asFloat);
        } else if (toHalf) {
            node.setInputs(read.inputs().stream().map(this::asHalf).toList());
            convertAttributes(read);
            node.setOutputs(read.outputs().stream().map(this::made).toList());
        } else {
            read.inputs().forEach(this::asFloat);
            for (OnnxGraph body : node.graphs()) {
                asFloat(body);
                convertBody(node, body);
            }
        }
        nodes.add(node);
    }

    private void convertBody(OnnxNode node, OnnxGraph body) throws IOException {
        if (!inBodies) {
            return;
        }
        HalfGraph inside = new HalfGraph(this, node, body);
        inside.convert();
        inside.kept.forEach((operator, count) -> kept.merge(operator, count, Integer::sum));
        nodesInside += inside.nodes();
        outOfRange += inside.outOfRange;
        exact += inside.exact;
        constantCount += inside.constantCount;
        defaults += inside.defaults;
        raised += inside.raised;
        casts += inside.casts;
    }

    private void asFloat(OnnxGraph body) {
        for (OnnxNode node : body.nodes()) {
            node.inputs().forEach(this::asFloat);
            node.graphs().forEach(this::asFloat);
        }
        body.outputs().forEach(output -> asFloat(output.name()));
    }

    /// Has a value be there as floats, by its name.
    private void asFloat(String name) {
        String half = halves.get(name);
        if (half != null && !half.equals(name) && cast.add(name)) {
            addCast(half, name, ElementType.FLOAT);
        }
    }

    /// Has a value be there as halves, if it is of floats; what it is called.
    private String asHalf(String name) {
        if (!types.isFloat(name)) {
            return name;
        }
        String half = halves.get(name);
        if (half == null) {
            half = names.free(name + "_fp16");
            halves.put(name, half);
            cast.add(name);
            addCast(name, half, ElementType.FLOAT16);
        }
        return half;
    }

    private void addCast(String from, String to, ElementType type) {
        casts++;
        nodes.add(OnnxNode.of(CAST, "cast_" + to, List.of(from), List.of(to), OnnxAttribute.of("to", type.code())));
    }

    /// What a value is called that is made as halves.
    private String made(String name) {
        if (!types.isFloat(name)) {
            return name;
        }
        String half = wantedFloat.contains(name) ? names.free(name + "_fp16") : name;
        halves.put(name, half);
        return half;
    }

    private void convertAttributes(HalfNode read) throws IOException {
        OnnxNode node = read.node();
        Optional<OnnxTensor> value = HalfConstants.value(read);
        if (value.isPresent() && value.get().type() == ElementType.FLOAT) {
            HalfTensor half = constants.take(value.get());
            constantCount++;
            raised += half.raised();
            node.setAttributes(List.of(OnnxAttribute.of(
                    "value", half.tensor(value.get().name(), value.get().dims()))));
        } else if (read.is("Cast") && types.isFloat(read.outputs().getFirst())) {
            List<OnnxAttribute> others = new ArrayList<>(node.attributes());
            others.removeIf(attribute -> attribute.name().equals("to"));
            others.add(OnnxAttribute.of("to", ElementType.FLOAT16.code()));
            node.setAttributes(others);
        }
    }
}
