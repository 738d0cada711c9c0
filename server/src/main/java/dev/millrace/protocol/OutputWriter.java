// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.util.List;

/// Writes the outputs of calls to one model version as the JSON of inference responses. What is the same in all of them
/// is made once. Threads: any.
public final class OutputWriter {
    private static final byte[] ID = JsonWriter.ascii(",\"id\":");
    private static final byte[] OUTPUTS = JsonWriter.ascii(",\"outputs\":[");
    private static final byte[] PARAMETERS = JsonWriter.ascii("],\"parameters\":{\"keys\":");
    private static final byte[] DATA_AFTER_SHAPE = JsonWriter.ascii("],\"data\":[");
    private static final byte[] DATA_AFTER_PARAMETERS = JsonWriter.ascii("},\"data\":[");
    private static final byte[] OUTPUT_END = JsonWriter.ascii("]}");

    /// The answer up to the id.
    private final byte[] start;
    /// Each output up to its shape.
    private final byte[][] outputStarts;

    /// Gets ready for the answers of a model version.
    public OutputWriter(String model, long version, Signature signature) {
        JsonWriter json = new JsonWriter();
        start = json.raw("{\"model_name\":")
                .string(model)
                .raw(",\"model_version\":\"")
                .number(version)
                .raw('"')
                .toBytes();
        List<TensorSpec> outputs = signature.outputs();
        outputStarts = new byte[outputs.size()][];
        for (int i = 0; i < outputStarts.length; i++) {
            outputStarts[i] = json.reset()
                    .raw("{\"name\":")
                    .string(outputs.get(i).name())
                    .raw(",\"datatype\":\"" + outputs.get(i).datatype() + "\",\"shape\":[")
                    .toBytes();
        }
    }

    /// Writes a response.
    ///
    /// @param call one that has ended well
    /// @param id the request's id, or null
    /// @param outputs the outputs to write, in this order; null for all
    @Hot
    public void write(JsonWriter json, Call call, String id, int[] outputs) {
        json.raw(start);
        if (id != null) {
            json.raw(ID).string(id);
        }
        json.raw(OUTPUTS);
        int count = outputs == null ? outputStarts.length : outputs.length;
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                json.raw(',');
            }
            int index = outputs == null ? i : outputs[i];
            json.raw(outputStarts[index]);
            output(json, call.output(index));
        }
        json.raw(OUTPUT_END);
    }

    @Hot
    private static void output(JsonWriter json, Tensor tensor) {
        for (int axis = 0; axis < tensor.rank(); axis++) {
            if (axis > 0) {
                json.raw(',');
            }
            json.number(tensor.dim(axis));
        }
        if (tensor.keys().isEmpty()) {
            json.raw(DATA_AFTER_SHAPE);
        } else {
            json.raw(PARAMETERS).string(keys(tensor.keys())).raw(DATA_AFTER_PARAMETERS);
        }
        elements(json, tensor);
        json.raw(OUTPUT_END);
    }

    /// A JSON array; as parameters have scalar values, it is sent as a string.
    private static byte[] keys(List<?> keys) {
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
            switch (tensor.datatype()) {
                case FP32 -> json.number(tensor.getFloat(i));
                case FP64 -> json.number(tensor.getDouble(i));
                case FP16, BF16 -> json.number((float) tensor.getReal(i));
                case BOOL -> json.bool(tensor.getLong(i) != 0);
                case UINT64 -> json.unsigned(tensor.getLong(i));
                case BYTES -> json.string(tensor.getBytes((int) i));
                default -> json.number(tensor.getLong(i));
            }
        }
    }
}
