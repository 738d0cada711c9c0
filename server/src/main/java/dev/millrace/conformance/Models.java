// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The models that the suite knows the answers of, and the folders in which servers load them from. Stateless.
final class Models {
    /// Two inputs and two outputs of different datatypes: `sum` is a + n as FP32, `negated` is -n.
    static final String TWO = "conformance_two";
    /// Batches of up to four rows of four; `y` is twice `x`.
    static final String BATCHED = "conformance_batched";
    /// No dimension is variable: 2 by 3, transposed.
    static final String FIXED = "conformance_fixed";
    /// Four classes with labels; `scores` is `x`.
    static final String CLASSES = "conformance_classes";
    /// The most rows of a batched model.
    static final int MAX_BATCH = 4;
    /// Of [#CLASSES], by index.
    static final List<String> LABELS = List.of("ant", "bee", "cat", "dog");

    private static final String IDENTITY = "conformance_identity_";
    private static final List<String> ANY = List.of("n", "m");
    private static final List<String> ROWS = List.of("batch", "4");
    private static final List<String> PAIRS = List.of("n", "2");
    private static final String LABEL_FILE = "labels.txt";

    private record Port(String name, Datatype datatype, List<String> dims) {}

    /// @param maxBatch 0 for none; otherwise the first dimension is the batch
    /// @param graph its operators, without inputs and outputs
    private record Spec(String name, int maxBatch, List<Port> inputs, List<Port> outputs, OnnxFile graph) {}

    private Models() {}

    /// The model that answers with what it was asked, for a datatype: `y` is `x`, of any two dimensions.
    static String identity(Datatype datatype) {
        return IDENTITY + datatype.name().toLowerCase(Locale.ROOT);
    }

    /// All of them.
    static List<String> names() {
        return specs().stream().map(Spec::name).toList();
    }

    private static List<Spec> specs() {
        List<Spec> all = new ArrayList<>();
        for (Datatype datatype : Datatype.values()) {
            String name = identity(datatype);
            all.add(new Spec(
                    name,
                    0,
                    List.of(new Port("x", datatype, ANY)),
                    List.of(new Port("y", datatype, ANY)),
                    new OnnxFile(name).node("Identity", "y", "x")));
        }
        all.add(two());
        all.add(new Spec(
                BATCHED,
                MAX_BATCH,
                List.of(new Port("x", Datatype.FP32, ROWS)),
                List.of(new Port("y", Datatype.FP32, ROWS)),
                new OnnxFile(BATCHED).node("Add", "y", "x", "x")));
        all.add(new Spec(
                FIXED,
                0,
                List.of(new Port("x", Datatype.FP32, List.of("2", "3"))),
                List.of(new Port("y", Datatype.FP32, List.of("3", "2"))),
                new OnnxFile(FIXED).node("Transpose", "y", "x")));
        all.add(new Spec(
                CLASSES,
                MAX_BATCH,
                List.of(new Port("x", Datatype.FP32, ROWS)),
                List.of(new Port("scores", Datatype.FP32, ROWS)),
                new OnnxFile(CLASSES).node("Identity", "scores", "x")));
        return all;
    }

    private static Spec two() {
        OnnxFile graph = new OnnxFile(TWO)
                .node("Cast", "to", Datatype.FP32.onnxCode(), "n_float", "n")
                .node("Add", "sum", "a", "n_float")
                .node("Neg", "negated", "n");
        return new Spec(
                TWO,
                0,
                List.of(new Port("a", Datatype.FP32, PAIRS), new Port("n", Datatype.INT64, PAIRS)),
                List.of(new Port("sum", Datatype.FP32, PAIRS), new Port("negated", Datatype.INT64, PAIRS)),
                graph);
    }

    /// Writes them as Triton lays models out, each with its configuration. What is there already is written over.
    static void write(Path folder) throws IOException {
        for (Spec spec : specs()) {
            Path model = folder.resolve(spec.name());
            Files.createDirectories(model.resolve("1"));
            for (Port input : spec.inputs()) {
                spec.graph().input(input.name(), input.datatype(), input.dims());
            }
            for (Port output : spec.outputs()) {
                spec.graph().output(output.name(), output.datatype(), output.dims());
            }
            Files.write(model.resolve("1").resolve("model.onnx"), spec.graph().bytes());
            Files.writeString(model.resolve("config.pbtxt"), config(spec));
            if (spec.name().equals(CLASSES)) {
                Files.writeString(model.resolve(LABEL_FILE), String.join("\n", LABELS) + "\n", StandardCharsets.UTF_8);
            }
        }
    }

    private static String config(Spec spec) {
        String labels = spec.name().equals(CLASSES) ? " label_filename: \"" + LABEL_FILE + "\"" : "";
        return "name: \"" + spec.name() + "\"\nbackend: \"onnxruntime\"\nmax_batch_size: " + spec.maxBatch() + "\n"
                + ports("input", spec, spec.inputs(), "") + ports("output", spec, spec.outputs(), labels);
    }

    private static String ports(String field, Spec spec, List<Port> ports, String more) {
        return ports.stream()
                .map(port -> "  { name: \"" + port.name() + "\" data_type: "
                        + port.datatype().configName() + " dims: [ " + dims(spec, port) + " ]" + more + " }")
                .collect(Collectors.joining(",\n", field + " [\n", "\n]\n"));
    }

    private static String dims(Spec spec, Port port) {
        return port.dims().stream()
                .skip(spec.maxBatch() > 0 ? 1 : 0)
                .map(dim -> Character.isDigit(dim.charAt(0)) ? dim : "-1")
                .collect(Collectors.joining(", "));
    }
}
