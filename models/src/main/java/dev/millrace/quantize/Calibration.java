// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.dataset.Dataset;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OperatorName;
import dev.millrace.onnx.ProtoMessage;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.SessionSettings.Optimization;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Runs a model on data and finds out between what its values are.
///
/// The model is run by ONNX Runtime without optimisation, with the smallest and largest elements of all
/// values for outputs; for histograms a second time, with the values themselves.
///
/// Threads: one. Ownership: files in the folder are left to whoever made it.
final class Calibration {
    private static final SessionSettings SETTINGS = SessionSettings.DEFAULT.withOptimization(Optimization.NONE);

    private final Path model;
    private final Path folder;
    private final QuantizeOptions options;
    private long rows;

    /// @param folder where models that are run may be written
    Calibration(Path model, Path folder, QuantizeOptions options) {
        this.model = model;
        this.folder = folder;
        this.options = options;
    }

    /// How many rows were run.
    long rows() {
        return rows;
    }

    /// The values between nodes, and those that the model takes and gives, that are tensors of floats.
    Set<String> floats() throws IOException {
        List<String> made = new ArrayList<>();
        try (OnnxFile file = OnnxFile.open(model)) {
            file.graph().nodes().forEach(node -> made.addAll(node.outputs()));
        }
        made.removeIf(String::isEmpty);
        Set<String> floats = new TreeSet<>();
        try (OnnxSession session = open(List.of(), made)) {
            for (ValueInfo value : session.inputs()) {
                add(floats, value);
            }
            for (ValueInfo value : session.outputs()) {
                add(floats, value);
            }
        }
        return floats;
    }

    private static void add(Set<String> floats, ValueInfo value) {
        if (value.kind() == ValueInfo.Kind.TENSOR && value.datatype() == DataType.FP32) {
            floats.add(value.name());
        }
    }

    /// The ranges of values; the data is not read if there are none.
    ///
    /// @throws InvalidModelException if one has no finite range, or the data has no rows
    Map<String, Range> ranges(Collection<String> values, Dataset data, Progress progress) throws IOException {
        if (values.isEmpty()) {
            return new LinkedHashMap<>();
        }
        List<String> names = List.copyOf(values);
        int passes = options.method() == QuantizeOptions.Method.MINMAX ? 1 : 2;
        boolean magnitudes = options.method() == QuantizeOptions.Method.PERCENTILE;
        Extremes extremes = extremes(names, magnitudes, data, rows -> progress.ran(rows, 1, passes));
        Map<String, Range> ranges = extremes.all;
        ranges.forEach((name, range) -> {
            if (!range.isFinite()) {
                throw new InvalidModelException("value '" + name + "' is from " + range.min() + " to " + range.max()
                        + " on the calibration data, expected finite values; exclude the nodes that make and take it");
            }
        });
        return passes == 1 ? ranges : narrow(extremes, data, rows -> progress.ran(rows, 2, passes));
    }

    /// What was seen of values, and of their magnitudes.
    private record Extremes(Map<String, Range> all, Map<String, Range> magnitudes) {}

    /// Told how many rows were run so far.
    private interface Counter {
        void ran(long rows);
    }

    private Extremes extremes(List<String> names, boolean magnitudes, Dataset data, Counter counter)
            throws IOException {
        List<OnnxNode> nodes = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            reduce(nodes, outputs, names.get(i), "millrace/" + i);
            if (magnitudes) {
                String magnitude = "millrace/" + i + "/abs";
                nodes.add(node("Abs", names.get(i), magnitude));
                reduce(nodes, outputs, magnitude, magnitude);
            }
        }
        int each = magnitudes ? 4 : 2;
        Extremes extremes = new Extremes(new LinkedHashMap<>(), new HashMap<>());
        names.forEach(name -> extremes.all.put(name, Range.EMPTY));
        names.forEach(name -> extremes.magnitudes.put(name, Range.EMPTY));
        run(nodes, outputs, data, options.batch(), counter, values -> {
            for (int i = 0; i < names.size(); i++) {
                int at = i * each;
                extremes.all.compute(names.get(i), (_, old) -> with(old, values[at], values[at + 1]));
                if (magnitudes) {
                    extremes.magnitudes.compute(names.get(i), (_, old) -> with(old, values[at + 2], values[at + 3]));
                }
            }
        });
        return extremes;
    }

    private static Range with(Range old, Tensor min, Tensor max) {
        return old.with(min.getFloat(0), max.getFloat(0));
    }

    private static void reduce(List<OnnxNode> nodes, List<String> outputs, String value, String prefix) {
        for (String operator : List.of("ReduceMin", "ReduceMax")) {
            nodes.add(node(operator, value, prefix + "/" + operator));
            outputs.add(prefix + "/" + operator);
        }
    }

    private static OnnxNode node(String operator, String input, String output) {
        return OnnxNode.of(new OperatorName("", operator), output, List.of(input), List.of(output));
    }

    /// Ranges from histograms of the values, within what was seen.
    private Map<String, Range> narrow(Extremes extremes, Dataset data, Counter counter) throws IOException {
        boolean magnitudes = options.method() == QuantizeOptions.Method.PERCENTILE;
        List<String> names = List.copyOf(extremes.all.keySet());
        Histogram[] histograms = new Histogram[names.size()];
        for (int i = 0; i < histograms.length; i++) {
            Range range = extremes.all.get(names.get(i));
            float most = Math.max(Math.abs(range.min()), Math.abs(range.max()));
            Range of = magnitudes ? extremes.magnitudes.get(names.get(i)) : new Range(-most, most);
            histograms[i] = new Histogram(of.min(), of.max(), options.bins());
        }
        run(List.of(), names, data, options.batch(), counter, values -> {
            for (int i = 0; i < histograms.length; i++) {
                long elements = values[i].elementCount();
                for (long j = 0; j < elements; j++) {
                    float value = values[i].getFloat(j);
                    histograms[i].add(magnitudes ? Math.abs(value) : value);
                }
            }
        });
        Map<String, Range> narrowed = new LinkedHashMap<>();
        for (int i = 0; i < histograms.length; i++) {
            Range seen = extremes.all.get(names.get(i));
            Range best = magnitudes ? percentile(histograms[i]) : histograms[i].leastDivergence();
            narrowed.put(names.get(i), new Range(Math.max(best.min(), seen.min()), Math.min(best.max(), seen.max())));
        }
        return narrowed;
    }

    private Range percentile(Histogram histogram) {
        float edge = histogram.percentile(options.percentile());
        return new Range(-edge, edge);
    }

    /// Takes what the model gives for a batch.
    private interface Outputs {
        void take(Tensor[] values);
    }

    private void run(List<OnnxNode> nodes, List<String> outputs, Dataset data, int batch, Counter counter, Outputs sink)
            throws IOException {
        rows = 0;
        try (OnnxSession session = open(nodes, outputs);
                TensorRunner runner = session.tensorRunner()) {
            // Inputs may be among the outputs: those are not run but there.
            Tensor[] values = session.outputs().stream()
                    .map(value -> new Tensor(MemoryTag.CALL, value.datatype()))
                    .toArray(Tensor[]::new);
            try {
                data.forEach(rowsOf(session, batch), rowsOfData -> {
                    runner.run(rowsOfData.inputs(), values);
                    sink.take(values);
                    Tensor first = rowsOfData.inputs()[0];
                    rows += first.rank() == 0 ? 1 : first.dim(0);
                    counter.ran(rows);
                });
            } finally {
                Arrays.stream(values).forEach(Tensor::close);
            }
        }
        if (rows == 0) {
            throw new InvalidModelException("the calibration data has no rows, expected at least one");
        }
    }

    /// A batch that is fixed stays what it is.
    static int rowsOf(OnnxSession session, int batch) {
        long least = batch;
        for (ValueInfo input : session.inputs()) {
            if (!input.shape().isEmpty() && input.shape().getFirst() > 0) {
                least = Math.min(least, input.shape().getFirst());
            }
        }
        return Math.toIntExact(least);
    }

    /// Opens the model with other outputs, in the order in which they are named.
    private OnnxSession open(List<OnnxNode> nodes, List<String> outputs) throws IOException {
        Path file = folder.resolve("calibration.onnx");
        try (OnnxFile other = OnnxFile.open(model)) {
            OnnxGraph graph = other.graph();
            List<OnnxNode> all = new ArrayList<>(graph.nodes());
            all.addAll(nodes);
            graph.setNodes(all);
            graph.setOutputs(outputs.stream()
                    .map(name -> new OnnxValue(new ProtoMessage().setText(1, name)))
                    .toList());
            other.write(file);
        }
        try {
            return OnnxSession.open(file, SETTINGS);
        } catch (OrtFailure e) {
            // About a file that nobody knows: the model is to be named, if it is its fault.
            OnnxSession.open(model, SETTINGS).close();
            throw e;
        }
    }
}
