// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxFunction;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OperatorName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Walks through a model with one row and counts operations. Threads: one.
final class Estimate {
    /// Functions that call each other twice could go on for ever.
    private static final int MAX_STEPS = 1 << 15;

    /// Functions that call functions; each takes some of the stack.
    private static final int MAX_CALLS = 32;

    /// What a value takes that is kept, with its name's place, besides what its arrays hold.
    static final int FACT_BYTES = 160;

    /// What a name takes that is kept, besides its characters.
    private static final int NAME_BYTES = 128;

    private static final Set<String> DOMAINS = Set.of(OperatorName.ONNX, "ai.onnx.ml", "com.microsoft");
    private static final Set<String> LOOPS = Set.of("Loop", "Scan", "SequenceMap");

    private final OnnxFile file;
    private final Map<String, OnnxFunction> functions = new HashMap<>();
    private final Map<OperatorName, Integer> uncounted = new TreeMap<>();
    private final Set<String> assumed = new TreeSet<>();
    private Map<String, Fact> seen = Map.of();
    private boolean atLeast;
    private int calls;
    private int steps;

    /// The values that a graph knows, and those around it.
    private record Scope(Map<String, Fact> facts, Scope around) {
        Scope(Scope around) {
            this(new HashMap<>(), around);
        }

        Fact find(String name) {
            for (Scope scope = this; scope != null; scope = scope.around) {
                Fact fact = scope.facts.get(name);
                if (fact != null) {
                    return fact;
                }
            }
            return Fact.UNKNOWN;
        }
    }

    private Estimate(OnnxFile file) {
        this.file = file;
        for (OnnxFunction function : file.functions()) {
            functions.put(function.operator() + "\n" + function.overload(), function);
        }
    }

    /// What a row of a sound model takes.
    static ModelReport.Operations of(OnnxFile file) {
        Estimate estimate = new Estimate(file);
        long count = estimate.run() / estimate.rows();
        return new ModelReport.Operations(
                count,
                estimate.atLeast || !estimate.uncounted.isEmpty(),
                Collections.unmodifiableMap(estimate.uncounted),
                List.copyOf(estimate.assumed));
    }

    /// The shapes that are told for a row, by name; those of the values that are not known are missing.
    static Map<String, Fact> facts(OnnxFile file) {
        Estimate estimate = new Estimate(file);
        estimate.run();
        return estimate.seen;
    }

    /// How many rows a run has whose inputs are as the estimate took them: as many as the first dimension is fixed to,
    /// if that is the batch.
    private long rows() {
        OnnxGraph graph = file.graph();
        Set<Long> sizes = new HashSet<>();
        for (OnnxValue input : modelInputs(graph)) {
            sizes.add(firstDimension(input));
        }
        for (OnnxValue output : graph.outputs()) {
            long size = firstDimension(output);
            // What shape an output has need not be said.
            if (size > 0) {
                sizes.add(size);
            }
        }
        long size = sizes.size() == 1 ? sizes.iterator().next() : 1;
        return Math.max(1, size);
    }

    /// Below 0 if it is open, or not known.
    private static long firstDimension(OnnxValue value) {
        return value.shape()
                .filter(dims -> !dims.isEmpty())
                .map(dims -> dims.getFirst().size())
                .orElse(-1L);
    }

    /// The inputs that are no constants, as which early files name those, too.
    private static List<OnnxValue> modelInputs(OnnxGraph graph) {
        Set<String> constants = new HashSet<>();
        graph.initializers().forEach(tensor -> constants.add(tensor.name()));
        return graph.inputs().stream()
                .filter(input -> !constants.contains(input.name()))
                .toList();
    }

    private long run() {
        OnnxGraph graph = file.graph();
        Scope scope = new Scope(null);
        for (OnnxValue input : modelInputs(graph)) {
            Fact fact = input(input);
            input.message().spend(FACT_BYTES + fact.heapBytes());
            scope.facts.put(input.name(), fact);
        }
        long count = graph(graph, scope);
        seen = scope.facts;
        return count;
    }

    /// One row: dimensions that are open are 1; all but the first, which is the batch, are told to be assumed.
    private Fact input(OnnxValue input) {
        return input.shape()
                .map(dims -> {
                    long[] shape = new long[dims.size()];
                    for (int i = 0; i < shape.length; i++) {
                        long size = dims.get(i).size();
                        if (size < 0 && i > 0) {
                            String name = dims.get(i).name();
                            input.message().spend(NAME_BYTES + 2L * input.name().length());
                            assumed.add(name.isEmpty() ? input.name() + "[" + i + "]" : name);
                        }
                        shape[i] = size < 0 ? 1 : size;
                    }
                    return Fact.of(shape).bounded();
                })
                .orElse(Fact.UNKNOWN);
    }

    private long graph(OnnxGraph graph, Scope scope) {
        for (OnnxTensor tensor : graph.initializers()) {
            graph.message().spend(FACT_BYTES);
            scope.facts.put(tensor.name(), SmallValues.of(tensor).bounded());
        }
        graph.sparseShapes().forEach((name, shape) -> {
            graph.message().spend(FACT_BYTES);
            scope.facts.put(name, Fact.of(shape).bounded());
        });
        return nodes(graph.nodes(), scope);
    }

    private long nodes(List<OnnxNode> nodes, Scope scope) {
        long count = 0;
        for (OnnxNode node : nodes) {
            node.message().spend(FACT_BYTES);
            count = sum(count, node(node, scope));
        }
        return count;
    }

    private long sum(long one, long other) {
        if (Long.MAX_VALUE - one < other) {
            atLeast = true;
            return Long.MAX_VALUE;
        }
        return one + other;
    }

    private long node(OnnxNode node, Scope scope) {
        if (calls > 0 && ++steps > MAX_STEPS) {
            return leaveOut(node);
        }
        List<Fact> inputs = new ArrayList<>();
        for (String input : node.inputs()) {
            inputs.add(input.isEmpty() ? null : scope.find(input));
        }
        OnnxFunction function = functions.get(node.operator() + "\n" + node.overload());
        if (function != null) {
            return calls == MAX_CALLS ? leaveOut(node) : call(node, function, inputs, scope);
        }
        List<OnnxGraph> graphs = node.graphs();
        if (!graphs.isEmpty()) {
            return bodies(node, graphs, scope);
        }
        return plain(node, inputs, scope);
    }

    @SuppressWarnings("IllegalCatch") // whatever does not fit together is not counted, but in a damaged file
    private long plain(OnnxNode node, List<Fact> inputs, Scope scope) {
        if (!DOMAINS.contains(node.operator().domain())) {
            return leaveOut(node);
        }
        Step step = new Step(node, inputs);
        List<Fact> outputs;
        try {
            outputs = Shapes.of(step);
        } catch (InvalidModelException e) {
            throw e;
        } catch (RuntimeException _) {
            outputs = List.of(Fact.UNKNOWN);
        }
        bind(node, outputs, scope);
        try {
            return Work.of(step, outputs);
        } catch (InvalidModelException e) {
            throw e;
        } catch (RuntimeException _) {
            return leaveOut(node);
        }
    }

    private static void bind(OnnxNode node, List<Fact> outputs, Scope scope) {
        List<String> names = node.outputs();
        for (int i = 0; i < names.size() && i < outputs.size(); i++) {
            Fact fact = outputs.get(i).bounded();
            if (fact.isKnown()) {
                node.message().spend(FACT_BYTES + fact.heapBytes());
                scope.facts.put(names.get(i), fact);
            }
        }
    }

    private long leaveOut(OnnxNode node) {
        uncounted.merge(node.operator(), 1, Integer::sum);
        return 0;
    }

    /// Goes through the body of a function.
    private long call(OnnxNode node, OnnxFunction function, List<Fact> inputs, Scope scope) {
        Scope inner = new Scope(null);
        List<String> names = function.inputs();
        for (int i = 0; i < names.size() && i < inputs.size(); i++) {
            if (inputs.get(i) != null) {
                inner.facts.put(names.get(i), inputs.get(i));
            }
        }
        calls++;
        long count = nodes(function.nodes(), inner);
        calls--;
        bind(node, function.outputs().stream().map(inner::find).toList(), scope);
        return count;
    }

    /// Of branches the one with the most operations; of a loop one turn, as how many there are only data tell.
    private long bodies(OnnxNode node, List<OnnxGraph> graphs, Scope scope) {
        long most = 0;
        List<Fact> outputs = null;
        for (OnnxGraph graph : graphs) {
            Scope inner = new Scope(scope);
            most = Math.max(most, graph(graph, inner));
            List<Fact> made = graph.outputs().stream()
                    .map(output -> inner.find(output.name()))
                    .toList();
            outputs = outputs == null || outputs.equals(made) ? made : List.of();
        }
        if (LOOPS.contains(node.operator().name())) {
            atLeast = true;
        } else {
            bind(node, outputs, scope);
        }
        return most;
    }
}
