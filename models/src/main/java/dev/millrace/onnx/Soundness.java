// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Whether what a model says fits together, told without running anything. Threads: one.
final class Soundness {
    /// What a name takes in a set or a map, and an edge between nodes.
    private static final int ENTRY_BYTES = 96;

    private static final int EDGE_BYTES = 32;

    private final OnnxFile file;
    private final ExternalTensors external;

    Soundness(OnnxFile file) {
        this.file = file;
        this.external = new ExternalTensors(file.path());
    }

    void check() throws IOException {
        Set<String> free = new HashSet<>();
        OnnxGraph graph = file.graph();
        graph(graph, free);
        require(free, "the model");
        List<OnnxFunction> functions = file.functions();
        for (OnnxFunction function : functions) {
            Set<String> known = new HashSet<>(function.inputs());
            Set<String> wanted = new HashSet<>();
            nodes(function.nodes(), known, wanted);
            wanted.addAll(missing(function.outputs(), known));
            require(wanted, "function " + function.operator());
        }
        calls(functions);
    }

    /// The files of external data.
    Set<String> locations() {
        return external.locations();
    }

    private static void require(Set<String> free, String where) {
        if (!free.isEmpty()) {
            throw new InvalidModelException(
                    "value '" + new TreeSet<>(free).first() + "' is used in " + where + ", but nothing makes it");
        }
    }

    private static List<String> missing(List<String> names, Set<String> known) {
        return names.stream()
                .filter(name -> !name.isEmpty() && !known.contains(name))
                .toList();
    }

    /// @param free gets the names that the graph takes from around it
    private void graph(OnnxGraph graph, Set<String> free) throws IOException {
        Set<String> known = new HashSet<>();
        List<String> given = new ArrayList<>();
        for (OnnxTensor tensor : graph.initializers()) {
            tensor(tensor);
            given.add(tensor.name());
        }
        for (OnnxTensor tensor : graph.sparseValues()) {
            tensor(tensor);
            given.add(tensor.name());
        }
        for (OnnxTensor tensor : graph.sparsePlaces()) {
            tensor(tensor);
        }
        graph.message().spend((long) ENTRY_BYTES * given.size());
        for (String name : given) {
            addNew(known, name, "initializer");
        }
        Set<String> inputs = new HashSet<>();
        for (OnnxValue input : graph.inputs()) {
            graph.message().spend(ENTRY_BYTES);
            addNew(inputs, input.name(), "input");
        }
        known.addAll(inputs);
        nodes(graph.nodes(), known, free);
        for (OnnxValue output : graph.outputs()) {
            if (!known.contains(output.name())) {
                free.add(output.name());
            }
        }
    }

    private static void addNew(Set<String> names, String name, String what) {
        if (!names.add(name)) {
            throw new InvalidModelException("two values are called '" + name + "', the second is an " + what);
        }
    }

    private void tensor(OnnxTensor tensor) throws IOException {
        tensor.check();
        if (tensor.isExternal()) {
            external.check(tensor);
        }
    }

    /// @param known the names that there are before; gets those that the nodes make
    /// @param free gets the names that are not known
    private void nodes(List<OnnxNode> nodes, Set<String> known, Set<String> free) throws IOException {
        Map<String, Integer> makers = new HashMap<>();
        List<Set<String>> taken = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            OnnxNode node = nodes.get(i);
            for (String output : node.outputs()) {
                node.message().spend(ENTRY_BYTES);
                if (!output.isEmpty() && !known.add(output)) {
                    throw new InvalidModelException(
                            "two values are called '" + output + "', the second is made by " + node.describe());
                }
                makers.put(output, i);
            }
            taken.add(taken(node));
        }
        makers.remove("");
        Dependencies dependencies = new Dependencies(nodes.size());
        for (int i = 0; i < nodes.size(); i++) {
            for (String name : taken.get(i)) {
                nodes.get(i).message().spend(EDGE_BYTES);
                Integer maker = makers.get(name);
                if (maker != null) {
                    dependencies.add(i, maker);
                } else if (!known.contains(name)) {
                    free.add(name);
                }
            }
        }
        int[] order = dependencies.order();
        if (order.length < nodes.size()) {
            throw new InvalidModelException("the graph has a cycle: "
                    + nodes.get(dependencies.stuck(order)).describe() + " needs what is made of its own outputs");
        }
    }

    /// The names that a node takes, as inputs or in its graphs.
    private Set<String> taken(OnnxNode node) throws IOException {
        Set<String> names = new HashSet<>();
        for (String input : node.inputs()) {
            node.message().spend(ENTRY_BYTES);
            names.add(input);
        }
        names.remove("");
        for (OnnxAttribute attribute : node.attributes()) {
            for (OnnxTensor tensor : attribute.tensors()) {
                tensor(tensor);
            }
            for (OnnxGraph graph : attribute.graphs()) {
                graph(graph, names);
            }
        }
        return names;
    }

    /// Holds that no function calls itself in the end.
    private void calls(List<OnnxFunction> functions) {
        Map<String, Integer> numbers = new HashMap<>();
        for (OnnxFunction function : functions) {
            String key = key(function.operator(), function.overload());
            function.message().spend(ENTRY_BYTES + 2L * key.length());
            if (numbers.put(key, numbers.size()) != null) {
                throw new InvalidModelException("two functions are called " + function.operator());
            }
        }
        Dependencies dependencies = new Dependencies(functions.size());
        for (int i = 0; i < functions.size(); i++) {
            calls(functions.get(i).nodes(), numbers, dependencies, i);
        }
        int[] order = dependencies.order();
        if (order.length < functions.size()) {
            throw new InvalidModelException("function "
                    + functions.get(dependencies.stuck(order)).operator() + " calls itself, at once or by others");
        }
    }

    private static void calls(List<OnnxNode> nodes, Map<String, Integer> numbers, Dependencies found, int caller) {
        for (OnnxNode node : nodes) {
            Integer called = numbers.get(key(node.operator(), node.overload()));
            if (called != null) {
                node.message().spend(EDGE_BYTES);
                found.add(caller, called);
            }
            for (OnnxGraph graph : node.graphs()) {
                calls(graph.nodes(), numbers, found, caller);
            }
        }
    }

    private static String key(OperatorName operator, String overload) {
        return operator.domain() + "\n" + operator.name() + "\n" + overload;
    }
}
