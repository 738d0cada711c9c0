// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import dev.millrace.onnx.ProtoMessage;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/// Small models, made by the line, and what is run of them.
final class Graphs {
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<OnnxTensor> tensors = new ArrayList<>();
    private final List<OnnxValue> inputs = new ArrayList<>();
    private final List<OnnxValue> outputs = new ArrayList<>();
    private final List<OnnxValue> between = new ArrayList<>();

    static Path resource(String name) {
        try {
            return Path.of(Graphs.class.getResource("/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The models that are kept elsewhere; none where they are not.
    static List<Path> kept() throws IOException {
        String cases = System.getProperty("millrace.cases", "");
        Path folder = Path.of(cases.isEmpty() ? "/nonexistent" : cases).resolveSibling("models");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".onnx"))
                    .sorted()
                    .toList();
        }
    }

    static OnnxValue value(String name, ElementType type, long... dims) {
        return OnnxValue.of(
                name,
                type,
                Arrays.stream(dims)
                        .mapToObj(dim -> dim < 0 ? Dimension.open("n") : Dimension.of(dim))
                        .toList());
    }

    Graphs input(String name, long... dims) {
        inputs.add(value(name, ElementType.FLOAT, dims));
        return this;
    }

    Graphs output(String name, long... dims) {
        outputs.add(value(name, ElementType.FLOAT, dims));
        return this;
    }

    Graphs input(OnnxValue value) {
        inputs.add(value);
        return this;
    }

    Graphs output(OnnxValue value) {
        outputs.add(value);
        return this;
    }

    Graphs between(String name, long... dims) {
        between.add(value(name, ElementType.FLOAT, dims));
        return this;
    }

    Graphs add(OnnxTensor tensor) {
        tensors.add(tensor);
        return this;
    }

    Graphs longs(String name, long... values) {
        tensors.add(OnnxTensor.ofLongs(name, new long[] {values.length}, values));
        return this;
    }

    Graphs floats(String name, long[] dims, float... values) {
        tensors.add(OnnxTensor.ofFloats(name, dims, values));
        return this;
    }

    /// Random ones from -1 to 1.
    Graphs weights(String name, long... dims) {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        float[] values = new float[(int) Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return floats(name, dims, values);
    }

    /// @param made as `operator: input, input -> output`, where the operator may be called `name=operator`
    Graphs node(String made, OnnxAttribute... attributes) {
        String[] parts = made.split(": *| *-> *");
        String[] named = parts[0].split("=");
        String domain = parts[0].contains(".") ? "ai.onnx.ml" : "";
        String operator = named[named.length - 1].replaceAll(".*\\.", "");
        nodes.add(OnnxNode.of(
                new OperatorName(domain, operator),
                named.length > 1 ? named[0] : "",
                List.of(parts[1].split(", *")),
                List.of(parts[2].split(", *")),
                attributes));
        return this;
    }

    /// A tensor that a node makes, before all that is there.
    Graphs constant(String name, OnnxTensor tensor) {
        nodes.addFirst(OnnxNode.of(
                new OperatorName("", "Constant"), "", List.of(), List.of(name), OnnxAttribute.of("value", tensor)));
        return this;
    }

    OnnxGraph graph(String name) {
        OnnxGraph graph = OnnxGraph.named(name);
        graph.setNodes(nodes);
        graph.setInitializers(tensors);
        graph.setInputs(inputs);
        graph.setOutputs(outputs);
        graph.setValueInfos(between);
        return graph;
    }

    /// As an attribute of a node, a branch or what a loop does.
    OnnxAttribute body(String name) {
        return new OnnxAttribute(new ProtoMessage()
                .setText(1, name)
                .setNumber(20, 5)
                .setMessages(6, List.of(graph(name).message())));
    }

    Path write(Path file) throws IOException {
        return write(file, 17);
    }

    Path write(Path file, long opset) throws IOException {
        try (OnnxFile model = OnnxFile.of(graph("test"), 8, Map.of("ai.onnx", opset, "ai.onnx.ml", 3L), "a test")) {
            model.setMetadata("color", "blue");
            model.check();
            model.write(file);
        }
        return file;
    }

    /// The answers to random inputs, all outputs of all rows in one line.
    static double[] answers(Path model, int rows, boolean together, long seed) {
        List<Double> answers = new ArrayList<>();
        try (Probe probe = Probe.open(model, SessionSettings.DEFAULT);
                Tensors inputs = probe.random(new SplittableRandom(seed), rows, 1)) {
            if (together) {
                add(probe, inputs, rows, answers);
            } else {
                for (int row = 0; row < rows; row++) {
                    try (Tensors one = inputs.row(row)) {
                        add(probe, one, 1, answers);
                    }
                }
            }
        }
        return answers.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static void add(Probe probe, Tensors inputs, int rows, List<Double> answers) {
        try (Tensors outputs = probe.run(inputs)) {
            for (int row = 0; row < rows; row++) {
                for (var output : outputs.all()) {
                    long each = output.elementCount() / rows;
                    for (long i = 0; i < each; i++) {
                        answers.add(output.getReal(row * each + i));
                    }
                }
            }
        }
    }
}
