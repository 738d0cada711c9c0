// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.inspect.ModelReport.Origin;
import dev.millrace.inspect.ModelReport.Parameters;
import dev.millrace.inspect.ModelReport.Value;
import dev.millrace.model.ModelSize;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxFunction;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Gathers what a model says. Threads: one. Ownership: the file is the caller's.
final class Inspection {
    /// What an operator takes in the maps of a report, and the place of a dimension in its list.
    private static final int OPERATOR_BYTES = 512;

    private static final int PLACE_BYTES = 320;

    private final OnnxFile file;
    private final Map<OperatorName, Integer> operators = new HashMap<>();
    private final Map<ElementType, Parameters> parameters = new EnumMap<>(ElementType.class);

    Inspection(OnnxFile file) {
        this.file = file;
    }

    /// @throws IOException if a file with constants cannot be looked at
    /// @throws dev.millrace.onnx.InvalidModelException if the model contradicts itself
    ModelReport report() throws IOException {
        Set<String> external = file.externalFiles();
        OnnxGraph graph = file.graph();
        walk(graph);
        List<OnnxFunction> functions = file.functions();
        functions.forEach(function -> walk(function.nodes()));
        List<Value> inputs = inputs(graph);
        List<Value> outputs = graph.outputs().stream().map(Inspection::value).toList();
        Map<OperatorName, Integer> sorted = byCount();
        return new ModelReport(
                file.irVersion(),
                file.opsets(),
                origin(graph),
                inputs,
                outputs,
                openDimensions(inputs, outputs),
                sorted,
                functions.stream().map(OnnxFunction::operator).toList(),
                parameters.values().stream()
                        .sorted(Comparator.comparingLong(Parameters::bytes).reversed())
                        .toList(),
                List.copyOf(external),
                ModelSize.of(file.path()),
                Estimate.of(file),
                notOnCuda(sorted, functions),
                Rows.obstacle(inputs, outputs, operators.keySet()));
    }

    private Origin origin(OnnxGraph graph) {
        return new Origin(
                file.producer(),
                file.producerVersion(),
                file.domain(),
                file.modelVersion(),
                graph.name(),
                file.doc(),
                file.metadata());
    }

    /// The inputs that are no constants, as which early files name those, too.
    private static List<Value> inputs(OnnxGraph graph) {
        Set<String> constants = new HashSet<>();
        graph.initializers().forEach(tensor -> constants.add(tensor.name()));
        return graph.inputs().stream()
                .filter(input -> !constants.contains(input.name()))
                .map(Inspection::value)
                .toList();
    }

    private static Value value(OnnxValue value) {
        return new Value(value.name(), value.type(), value.shape());
    }

    private void walk(OnnxGraph graph) {
        graph.initializers().forEach(this::add);
        graph.sparseValues().forEach(this::add);
        walk(graph.nodes());
    }

    private void walk(List<OnnxNode> nodes) {
        for (OnnxNode node : nodes) {
            if (operators.merge(node.operator(), 1, Integer::sum) == 1) {
                node.message().spend(OPERATOR_BYTES);
            }
            for (OnnxAttribute attribute : node.attributes()) {
                attribute.tensors().forEach(this::add);
                attribute.graphs().forEach(this::walk);
            }
        }
    }

    private void add(OnnxTensor tensor) {
        Parameters one = new Parameters(tensor.type(), 1, tensor.elements(), tensor.byteSize());
        parameters.merge(
                tensor.type(),
                one,
                (a, b) -> new Parameters(
                        a.type(),
                        a.tensors() + b.tensors(),
                        saturated(a.elements(), b.elements()),
                        saturated(a.bytes(), b.bytes())));
    }

    /// Many tensors may claim to be in the same bytes of another file.
    private static long saturated(long a, long b) {
        return Long.MAX_VALUE - a < b ? Long.MAX_VALUE : a + b;
    }

    private Map<OperatorName, Integer> byCount() {
        Map<OperatorName, Integer> sorted = new LinkedHashMap<>();
        operators.entrySet().stream()
                .sorted(Map.Entry.<OperatorName, Integer>comparingByValue()
                        .reversed()
                        .thenComparing(Map.Entry.comparingByKey()))
                .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
        return sorted;
    }

    private Map<String, List<String>> openDimensions(List<Value> inputs, List<Value> outputs) {
        Map<String, List<String>> open = new TreeMap<>();
        List<Value> values = new ArrayList<>(inputs);
        values.addAll(outputs);
        for (Value value : values) {
            List<OnnxValue.Dimension> shape = value.shape().orElse(List.of());
            for (int i = 0; i < shape.size(); i++) {
                if (shape.get(i).size() < 0) {
                    String name = shape.get(i).name();
                    file.message().spend(PLACE_BYTES + 2L * value.name().length());
                    open.computeIfAbsent(name.isEmpty() ? "?" : name, _ -> new ArrayList<>())
                            .add(value.name() + "[" + i + "]");
                }
            }
        }
        return open;
    }

    private Map<OperatorName, String> notOnCuda(Map<OperatorName, Integer> found, List<OnnxFunction> functions) {
        Set<OperatorName> own = new HashSet<>();
        functions.forEach(function -> own.add(function.operator()));
        Map<String, Long> opsets = file.opsets();
        Map<OperatorName, String> without = new LinkedHashMap<>();
        for (OperatorName operator : found.keySet()) {
            if (!own.contains(operator)) {
                CudaKernels.obstacle(operator, opsets.getOrDefault(operator.domain(), 1L))
                        .ifPresent(reason -> without.put(operator, reason));
            }
        }
        return without;
    }
}
