// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.Input;
import dev.millrace.spec.ValueKind;
import dev.millrace.spec.ValueType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Makes the ONNX graph that computes what a specification says: from raw values, an input each, to
/// the tensor of floats that the model takes. `docs/features.md` says what its inputs and outputs
/// are, and how near it is to the plan.
///
/// Threads: one.
public final class PreprocessingGraph {
    /// What follows a raw value's name in that of the input that says where there is one.
    public static final String PRESENT = "__present";
    /// The output that says which rows are rejected.
    public static final String REJECTED = "rejected";

    private static final long IR_VERSION = 8;
    private static final long ONNX_OPSET = 17;
    private static final long ML_OPSET = 3;

    private final FeatureSpec spec;
    private final Nodes nodes = new Nodes();
    private final Rejections rejections = new Rejections(nodes);
    private final List<OnnxValue> inputs = new ArrayList<>();
    /// Raw values, and what features gave, by the words that features call them.
    private final Map<String, Value> values = new LinkedHashMap<>();

    private String never;

    private PreprocessingGraph(FeatureSpec spec) {
        this.spec = spec;
    }

    /// Makes the graph.
    ///
    /// @return the file, which the caller closes
    /// @throws FeatureSpecException if it has operators that ONNX cannot express, with all of them
    public static OnnxFile of(FeatureSpec spec) {
        Refusals.check(spec);
        PreprocessingGraph graph = new PreprocessingGraph(spec);
        graph.readInputs();
        return graph.file(graph.writeFeatures());
    }

    private void readInputs() {
        for (FieldSpec field : spec.request()) {
            if (isUsed(field.name())) {
                read(field.name(), field.type());
            } else if (field.required()) {
                present(field.name());
            }
            if (field.required()) {
                rejections.add(nodes.isFalse(field.name() + PRESENT));
            }
        }
        for (FeatureView view : spec.views()) {
            for (FieldSpec field : view.fields()) {
                String word = view.name() + "." + field.name();
                if (isUsed(word)) {
                    read(word, field.type());
                }
            }
        }
        if (isUsed("request_time")) {
            input("request_time", ElementType.INT64);
            values.put("request_time", new Value("request_time", ValueKind.TIME, null));
        }
        String first = inputs.getLast().name();
        never = nodes.binary(first.endsWith(PRESENT) ? "Xor" : "Less", first, first);
    }

    private boolean isUsed(String word) {
        return spec.features().stream()
                .flatMap(feature -> feature.inputs().stream())
                .anyMatch(input -> input.word().equals(word));
    }

    private void input(String name, ElementType type) {
        inputs.add(OnnxValue.of(name, type, List.of(Dimension.open("batch"), Dimension.of(1))));
    }

    private void present(String word) {
        input(word + PRESENT, ElementType.BOOL);
    }

    private void read(String word, ValueType type) {
        ElementType element = switch (type) {
            case FLOAT64 -> ElementType.DOUBLE;
            case FLOAT32 -> ElementType.FLOAT;
            case INT64, TIMESTAMP -> ElementType.INT64;
            case INT32 -> ElementType.INT32;
            case BOOL -> ElementType.BOOL;
            case STRING -> ElementType.STRING;
        };
        input(word, element);
        present(word);
        String read = switch (type) {
            case FLOAT32 -> nodes.cast(word, ElementType.DOUBLE);
            case INT32, BOOL -> nodes.cast(word, ElementType.INT64);
            default -> word;
        };
        values.put(word, new Value(read, type.kind(), nodes.isFalse(word + PRESENT)));
    }

    /// Writes all features; the columns that are emitted.
    private List<String> writeFeatures() {
        List<String> columns = new ArrayList<>();
        for (Feature feature : spec.features()) {
            List<Value> from =
                    feature.inputs().stream().map(Input::word).map(values::get).toList();
            FeatureNodes written = new FeatureNodes(nodes, rejections, feature, from, never);
            values.put("features." + feature.name(), written.transformed());
            List<String> made = written.columns();
            if (feature.columns().emit()) {
                columns.addAll(made);
            }
        }
        return columns;
    }

    private OnnxFile file(List<String> columns) {
        String all = nodes.columns(columns);
        // One NaN, whatever its bits were.
        String clean = nodes.where(nodes.unary("IsNaN", all), Double.NaN, all);
        nodes.output("Cast", clean, spec.tensor(), OnnxAttribute.of("to", ElementType.FLOAT.code()));
        List<OnnxValue> outputs = new ArrayList<>();
        outputs.add(OnnxValue.of(
                spec.tensor(),
                ElementType.FLOAT,
                List.of(Dimension.open("batch"), Dimension.of(spec.columns().size()))));
        if (rejections.all() != null) {
            nodes.output("Identity", rejections.all(), REJECTED);
            outputs.add(OnnxValue.of(REJECTED, ElementType.BOOL, List.of(Dimension.open("batch"), Dimension.of(1))));
        }
        nodes.prune(outputs.stream().map(OnnxValue::name).collect(Collectors.toSet()));
        OnnxGraph graph = OnnxGraph.named(spec.name());
        graph.setInputs(inputs);
        graph.setOutputs(outputs);
        graph.setNodes(nodes.nodes());
        graph.setInitializers(nodes.constants());
        OnnxFile file = OnnxFile.of(graph, IR_VERSION, Map.of("ai.onnx", ONNX_OPSET), "millrace");
        file.setOpset("ai.onnx.ml", ML_OPSET);
        file.setMetadata("features", spec.name() + " " + spec.version());
        file.setMetadata("features.sha256", spec.digest());
        return file;
    }
}
