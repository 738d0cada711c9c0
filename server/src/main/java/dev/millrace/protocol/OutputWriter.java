// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.util.ArrayList;
import java.util.List;

/// Writes the outputs of calls to one model version as the JSON of inference responses. What is the same in all of them
/// is made once. Threads: any.
public final class OutputWriter {
    private static final byte[] ID = JsonWriter.ascii(",\"id\":");
    private static final byte[] OUTPUTS = JsonWriter.ascii(",\"outputs\":[");
    private static final byte[] PARAMETERS = JsonWriter.ascii("],\"parameters\":{");
    private static final byte[] KEYS = JsonWriter.ascii("\"keys\":");
    private static final byte[] BINARY_SIZE = JsonWriter.ascii("\"binary_data_size\":");
    private static final byte[] PARAMETERS_END = JsonWriter.ascii("}}");
    private static final byte[] DATA_AFTER_SHAPE = JsonWriter.ascii("],\"data\":[");
    private static final byte[] DATA_AFTER_PARAMETERS = JsonWriter.ascii("},\"data\":[");
    private static final byte[] END = JsonWriter.ascii("]}");

    /// The answer up to the id.
    private final byte[] start;
    private final List<TensorSpec> specs;
    private final List<List<String>> labels;
    /// Each output up to its shape.
    private final byte[][] outputStarts;
    /// How many come unless others are asked for; the rest are reports.
    private final int outputCount;

    /// Gets ready for the answers of a model version.
    ///
    /// @param labels the names of classes of each output, in the order of the signature; empty where there are none
    public OutputWriter(String model, long version, Signature signature, List<List<String>> labels) {
        JsonWriter json = new JsonWriter();
        start = json.raw("{\"model_name\":")
                .string(model)
                .raw(",\"model_version\":\"")
                .number(version)
                .raw('"')
                .toBytes();
        List<TensorSpec> outputs = new ArrayList<>(signature.outputs());
        outputCount = outputs.size();
        outputs.addAll(signature.reports());
        specs = outputs;
        this.labels = List.copyOf(labels);
        outputStarts = new byte[outputs.size()][];
        for (int i = 0; i < outputStarts.length; i++) {
            TensorSpec spec = outputs.get(i);
            outputStarts[i] = start(json.reset(), spec.name(), spec.datatype()).toBytes();
        }
    }

    /// Writes the JSON of a response.
    ///
    /// @param call one that has ended well
    /// @param id the request's id, or null
    /// @param outputs the outputs to write
    /// @param binary gets those that are to be sent as bytes behind the JSON
    /// @throws Refusal if what is wanted of an output cannot be had from it
    @Hot
    public void write(JsonWriter json, Call call, String id, RequestedOutputs outputs, BinaryOutputs binary) {
        json.raw(start);
        if (id != null) {
            json.raw(ID).string(id);
        }
        json.raw(OUTPUTS);
        int count = outputs.count(outputCount);
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                json.raw(',');
            }
            int index = outputs.index(i);
            Tensor tensor = call.output(index);
            if (outputs.classes(i) == 0) {
                json.raw(outputStarts[index]);
            } else {
                tensor = beginClasses(json, tensor, index, outputs.classes(i));
            }
            shape(json, tensor);
            if (outputs.isBinary(i)) {
                binary(json, tensor, binary);
            } else {
                data(json, tensor);
            }
        }
        json.raw(END);
    }

    /// Writes the beginning of an output of which the classes with the greatest values are wanted, and returns those.
    private Tensor beginClasses(JsonWriter json, Tensor tensor, int index, int count) {
        start(json, specs.get(index).name(), DataType.BYTES);
        return classes(tensor, index, count);
    }

    /// The classes with the greatest values of an output.
    ///
    /// @param index the output's place in the signature
    /// @param count how many are wanted of each row
    /// @throws Refusal if it has too many values
    Tensor classes(Tensor tensor, int index, int count) {
        TensorSpec spec = specs.get(index);
        boolean hasRows = !spec.shape().isEmpty() && spec.shape().getFirst() < 0;
        return Classification.of(spec.name(), tensor, hasRows, count, labels.get(index));
    }

    private static JsonWriter start(JsonWriter json, String name, DataType type) {
        return json.raw("{\"name\":").string(name).raw(",\"datatype\":\"" + type + "\",\"shape\":[");
    }

    @Hot
    private static void shape(JsonWriter json, Tensor tensor) {
        for (int axis = 0; axis < tensor.rank(); axis++) {
            if (axis > 0) {
                json.raw(',');
            }
            json.number(tensor.dim(axis));
        }
    }

    @Hot
    private static void binary(JsonWriter json, Tensor tensor, BinaryOutputs binary) {
        json.raw(PARAMETERS);
        if (!tensor.keys().isEmpty()) {
            json.raw(KEYS).string(keys(tensor.keys())).raw(',');
        }
        json.raw(BINARY_SIZE).number(binary.add(tensor)).raw(PARAMETERS_END);
    }

    @Hot
    private static void data(JsonWriter json, Tensor tensor) {
        if (tensor.keys().isEmpty()) {
            json.raw(DATA_AFTER_SHAPE);
        } else {
            json.raw(PARAMETERS).raw(KEYS).string(keys(tensor.keys())).raw(DATA_AFTER_PARAMETERS);
        }
        elements(json, tensor);
        json.raw(END);
    }

    /// A JSON array of names or whole numbers; as parameters have scalar values, it is sent as a string.
    public static byte[] keys(List<?> keys) {
        JsonWriter json = new JsonWriter();
        char separator = '[';
        for (Object key : keys) {
            json.raw(separator);
            if (key instanceof Number number) {
                json.number(number.longValue());
            } else {
                json.string(key.toString());
            }
            separator = ',';
        }
        return json.raw(']').toBytes();
    }

    @Hot
    private static void elements(JsonWriter json, Tensor tensor) {
        long count = tensor.elementCount();
        for (long i = 0; i < count; i++) {
            if (i > 0) {
                json.raw(',');
            }
            json.element(tensor, i);
        }
    }
}
