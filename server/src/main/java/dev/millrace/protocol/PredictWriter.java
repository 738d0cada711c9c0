// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.raw.RawRows;
import dev.millrace.raw.ServedPlan;
import dev.millrace.runtime.Call;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/// Writes the outputs of a call as TensorFlow Serving's REST API answers predictions. Threads: stateless.
public final class PredictWriter {
    private PredictWriter() {}

    /// Writes an answer.
    ///
    /// @param call one that has ended well
    /// @param rows whether there is a prediction for each row, and not one value for each output
    /// @throws Refusal if there are to be predictions for rows, and an output does not have as many
    public static void write(JsonWriter json, Call call, boolean rows) {
        List<TensorSpec> outputs = call.signature().outputs();
        if (rows) {
            writeRows(json, call, outputs);
            end(json, call);
            return;
        }
        json.raw("{\"outputs\":");
        if (outputs.size() == 1) {
            value(json, outputs.getFirst().name(), call.output(0), 0, 0);
        } else {
            for (int i = 0; i < outputs.size(); i++) {
                json.raw(i == 0 ? '{' : ',').string(outputs.get(i).name()).raw(':');
                value(json, outputs.get(i).name(), call.output(i), 0, 0);
            }
            json.raw('}');
        }
        end(json, call);
    }

    /// Ends the answer, with the reports if they are wanted: an object for each row.
    private static void end(JsonWriter json, Call call) {
        RawRows raw = call.raw();
        if (raw != null && raw.isReporting()) {
            Tensor status = call.output(ServedPlan.STATUS);
            Tensor age = call.output(ServedPlan.AGE);
            Tensor degraded = call.output(ServedPlan.DEGRADED);
            json.raw(",\"reports\":[");
            for (long row = 0; row < degraded.elementCount(); row++) {
                json.raw(row == 0 ? "" : ",").raw("{\"degraded\":").element(degraded, row);
                columns(json.raw(",\"feature_status\":"), status, row);
                columns(json.raw(",\"feature_age_us\":"), age, row);
                json.raw('}');
            }
            json.raw(']');
        }
        json.raw('}');
    }

    /// A row as an object, by the names of columns.
    private static void columns(JsonWriter json, Tensor tensor, long row) {
        int width = tensor.keys().size();
        for (int i = 0; i < width; i++) {
            json.raw(i == 0 ? '{' : ',').string(tensor.keys().get(i).toString()).raw(':');
            json.element(tensor, row * width + i);
        }
        json.raw('}');
    }

    private static void writeRows(JsonWriter json, Call call, List<TensorSpec> outputs) {
        long rows = call.raw() == null ? call.input(0).dim(0) : call.raw().rowCount();
        for (int i = 0; i < outputs.size(); i++) {
            Tensor output = call.output(i);
            if (output.rank() == 0 || output.dim(0) != rows) {
                throw Refusal.invalid("output '" + outputs.get(i).name() + "' has shape "
                        + Arrays.toString(output.shape()) + ", which is no value for each of " + rows
                        + " instances; ask by 'inputs'");
            }
        }
        json.raw("{\"predictions\":[");
        for (long row = 0; row < rows; row++) {
            if (row > 0) {
                json.raw(',');
            }
            if (outputs.size() == 1) {
                row(json, outputs.getFirst().name(), call.output(0), row);
            } else {
                for (int i = 0; i < outputs.size(); i++) {
                    json.raw(i == 0 ? '{' : ',').string(outputs.get(i).name()).raw(':');
                    row(json, outputs.get(i).name(), call.output(i), row);
                }
                json.raw('}');
            }
        }
        json.raw(']');
    }

    private static void row(JsonWriter json, String name, Tensor tensor, long row) {
        value(json, name, tensor, 1, row * (tensor.elementCount() / tensor.dim(0)));
    }

    /// Writes the part of a tensor that begins with element `from`, nested as its dimensions from `axis` on.
    ///
    /// @return the element behind it
    private static long value(JsonWriter json, String name, Tensor tensor, int axis, long from) {
        if (axis >= tensor.rank()) {
            element(json, name, tensor, from);
            return from + 1;
        }
        long next = from;
        json.raw('[');
        for (long i = 0; i < tensor.dim(axis); i++) {
            if (i > 0) {
                json.raw(',');
            }
            next = value(json, name, tensor, axis + 1, next);
        }
        json.raw(']');
        return next;
    }

    private static void element(JsonWriter json, String name, Tensor tensor, long index) {
        if (tensor.datatype() == DataType.BYTES) {
            byte[] bytes = tensor.getBytes((int) index);
            if (name.endsWith("_bytes") || !isText(bytes)) {
                json.raw("{\"b64\":\"").raw(Base64.getEncoder().encode(bytes)).raw("\"}");
                return;
            }
        }
        json.element(tensor, index);
    }

    private static boolean isText(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException _) {
            return false;
        }
    }
}
