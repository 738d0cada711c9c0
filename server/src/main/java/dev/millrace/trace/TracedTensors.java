// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.util.ArrayList;
import java.util.List;

/// What a traced request asked and was told, as Triton writes tensors: elements, shape and type are texts. Immutable.
///
/// @param objects one for each tensor, without its number: what comes after `{"id":1`
/// @param bytes how long they are together
record TracedTensors(List<byte[]> objects, long bytes) {
    /// Of a request whose tensors are not traced.
    static final TracedTensors NONE = new TracedTensors(List.of(), 0);

    /// Of larger ones no text is made.
    static final long MAX_BYTES = 4 << 20;

    /// Those of a call that has ended well; null if they have more than so many bytes.
    static TracedTensors of(Call call, long maxBytes) {
        List<TensorSpec> inputs = call.signature().inputs();
        List<TensorSpec> outputs = call.signature().outputs();
        long size = 0;
        for (int i = 0; i < inputs.size(); i++) {
            size += bytes(call.input(i));
        }
        for (int i = 0; i < outputs.size(); i++) {
            size += bytes(call.output(i));
        }
        if (size > maxBytes) {
            return null;
        }
        List<byte[]> objects = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            if (call.input(i).hasShape()) {
                objects.add(object("TENSOR_QUEUE_INPUT", inputs.get(i).name(), call.input(i)));
            }
        }
        for (int i = 0; i < outputs.size(); i++) {
            objects.add(object("TENSOR_BACKEND_OUTPUT", outputs.get(i).name(), call.output(i)));
        }
        return new TracedTensors(
                objects, objects.stream().mapToLong(object -> object.length).sum());
    }

    private static long bytes(Tensor tensor) {
        return tensor.datatype() == DataType.BYTES ? tensor.heldBytes() : tensor.byteSize();
    }

    private static byte[] object(String activity, String name, Tensor tensor) {
        JsonWriter json = new JsonWriter().raw(",\"activity\":\"" + activity + "\",\"tensor\":{\"name\":");
        json.string(name).raw(",\"data\":").string(elements(tensor)).raw(",\"shape\":\"");
        for (int axis = 0; axis < tensor.rank(); axis++) {
            json.raw(axis == 0 ? "" : ",").number(tensor.dim(axis));
        }
        return json.raw("\",\"dtype\":\"" + tensor.datatype() + "\"}}").toBytes();
    }

    private static byte[] elements(Tensor tensor) {
        JsonWriter json = new JsonWriter();
        for (long i = 0; i < tensor.elementCount(); i++) {
            json.raw(i == 0 ? "" : ",");
            if (tensor.isNull(i)) {
                json.raw("null");
            } else {
                json.element(tensor, i);
            }
        }
        return json.toBytes();
    }
}
