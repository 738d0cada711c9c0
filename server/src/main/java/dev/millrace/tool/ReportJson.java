// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.inspect.ModelReport;
import dev.millrace.inspect.ModelReport.Operations;
import dev.millrace.inspect.ModelReport.Origin;
import dev.millrace.inspect.ModelReport.Parameters;
import dev.millrace.inspect.ModelReport.Value;
import dev.millrace.json.JsonWriter;
import dev.millrace.onnx.OnnxValue.Dimension;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Writes a [ModelReport] as JSON. Threads: one.
final class ReportJson {
    private final JsonWriter json = new JsonWriter();

    private ReportJson() {}

    static String of(ModelReport report, Batchability batching) {
        ReportJson writer = new ReportJson();
        writer.write(report, batching);
        return new String(writer.json.toBytes(), StandardCharsets.UTF_8);
    }

    private void write(ModelReport report, Batchability batching) {
        json.raw("{\"file_bytes\":").number(report.size().fileBytes());
        json.raw(",\"ir_version\":").number(report.format());
        json.raw(",\"opsets\":");
        numbers(report.opsets());
        origin(report.origin());
        json.raw(",\"inputs\":");
        array(report.inputs(), this::value);
        json.raw(",\"outputs\":");
        array(report.outputs(), this::value);
        json.raw(",\"open_dimensions\":");
        object(report.openDimensions(), places -> array(places, json::string));
        json.raw(",\"batching\":{\"kind\":")
                .string(batching.kind())
                .raw(",\"reason\":")
                .string(batching.reason());
        json.raw("},\"operations\":");
        operations(report.operations());
        json.raw(",\"parameters\":");
        array(report.parameters(), this::parameters);
        json.raw(",\"external_files\":");
        array(report.externalFiles(), json::string);
        json.raw(",\"peak_load_bytes\":").number(report.size().peakBytes());
        json.raw(",\"operators\":");
        numbers(report.operators());
        json.raw(",\"functions\":");
        array(report.functions(), function -> json.string(function.toString()));
        json.raw(",\"not_on_cuda\":{\"onnxruntime\":")
                .string(ModelReport.cudaVersion())
                .raw(",\"operators\":");
        object(report.notOnCuda(), json::string);
        json.raw("}}");
    }

    private void origin(Origin origin) {
        json.raw(",\"producer\":{\"name\":").string(origin.producer());
        json.raw(",\"version\":").string(origin.producerVersion());
        json.raw("},\"domain\":").string(origin.domain());
        json.raw(",\"model_version\":").number(origin.version());
        json.raw(",\"graph\":").string(origin.graph());
        json.raw(",\"doc\":").string(origin.doc());
        json.raw(",\"metadata\":");
        object(origin.metadata(), json::string);
    }

    private void value(Value value) {
        json.raw("{\"name\":").string(value.name()).raw(",\"type\":").string(value.type());
        value.shape().ifPresent(dims -> {
            json.raw(",\"shape\":");
            array(dims, dim -> json.number(dim.size()));
            json.raw(",\"dimension_names\":");
            array(dims.stream().map(Dimension::name).toList(), json::string);
        });
        json.raw('}');
    }

    private void parameters(Parameters part) {
        json.raw("{\"type\":").string(part.type().name());
        json.raw(",\"tensors\":").number(part.tensors());
        json.raw(",\"elements\":").number(part.elements());
        json.raw(",\"bytes\":").number(part.bytes()).raw('}');
    }

    private void operations(Operations operations) {
        json.raw("{\"per_row\":").number(operations.count());
        json.raw(",\"at_least\":").bool(operations.isLeast());
        json.raw(",\"not_counted\":");
        numbers(operations.uncounted());
        json.raw(",\"taken_as_1\":");
        array(operations.assumed(), json::string);
        json.raw('}');
    }

    private void numbers(Map<?, ? extends Number> map) {
        object(map, number -> json.number(number.longValue()));
    }

    private <V> void object(Map<?, V> map, Consumer<V> value) {
        json.raw('{');
        boolean first = true;
        for (Map.Entry<?, V> entry : map.entrySet()) {
            if (!first) {
                json.raw(',');
            }
            first = false;
            json.string(entry.getKey().toString()).raw(':');
            value.accept(entry.getValue());
        }
        json.raw('}');
    }

    private <T> void array(List<T> values, Consumer<T> value) {
        json.raw('[');
        for (int i = 0; i < values.size(); i++) {
            if (i > 0) {
                json.raw(',');
            }
            value.accept(values.get(i));
        }
        json.raw(']');
    }
}
