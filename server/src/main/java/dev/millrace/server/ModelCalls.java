// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Model;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;

/// What one event loop keeps for one model version: calls to use again, and the parts of its answers that never change.
///
/// Threads: one, the event loop's. Ownership: it owns the calls that lie here; those taken are their exchange's until
/// they are given back.
final class ModelCalls {
    private static final int MAX_CALLS = 256;
    /// Native memory of calls that wait for use; what large requests left behind is freed beyond this.
    private static final long MAX_BYTES = 16L << 20;

    private final Model model;
    private final Signature signature;
    private final long version;
    private final ArrayDeque<Call> free = new ArrayDeque<>();
    private final byte[][] inputNames;
    private final byte[] answerStart;
    private final byte[][] outputStarts;
    private long freeBytes;

    /// @param model a handle that is bound to the version
    ModelCalls(Model model) {
        this.model = model;
        this.signature = model.signature();
        this.version = model.version();
        this.inputNames = signature.inputs().stream()
                .map(input -> input.name().getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
        JsonWriter writer = new JsonWriter();
        this.answerStart = writer.raw("{\"model_name\":")
                .string(model.name())
                .raw(",\"model_version\":\"")
                .number(version)
                .raw('"')
                .toBytes();
        List<TensorSpec> outputs = signature.outputs();
        this.outputStarts = new byte[outputs.size()][];
        for (int i = 0; i < outputStarts.length; i++) {
            outputStarts[i] = writer.reset()
                    .raw("{\"name\":")
                    .string(outputs.get(i).name())
                    .raw(",\"datatype\":\"" + outputs.get(i).datatype() + "\",\"shape\":[")
                    .toBytes();
        }
    }

    Signature signature() {
        return signature;
    }

    /// The version of the model.
    @Hot
    long version() {
        return version;
    }

    /// The names of the model's inputs in UTF-8.
    @Hot
    byte[][] inputNames() {
        return inputNames;
    }

    /// The JSON of an answer up to the version.
    byte[] answerStart() {
        return answerStart;
    }

    /// The JSON of an output up to its shape.
    @Hot
    byte[] outputStart(int index) {
        return outputStarts[index];
    }

    Call take() {
        Call call = free.pollLast();
        if (call == null) {
            return model.call();
        }
        freeBytes -= bytes(call);
        return call;
    }

    /// Takes back a call that is not in flight.
    void giveBack(Call call) {
        long bytes = bytes(call);
        if (free.size() < MAX_CALLS && freeBytes + bytes <= MAX_BYTES) {
            freeBytes += bytes;
            free.addLast(call);
        } else {
            call.close();
        }
    }

    private long bytes(Call call) {
        long bytes = 0;
        for (int i = 0; i < signature.inputs().size(); i++) {
            bytes += capacity(call.input(i));
        }
        for (int i = 0; i < signature.outputs().size(); i++) {
            bytes += capacity(call.output(i));
        }
        return bytes;
    }

    /// The memory that a tensor holds, which may be more than its shape needs.
    private static long capacity(Tensor tensor) {
        return tensor.datatype().isNumeric() ? tensor.data().byteSize() : tensor.elementCount() * Long.BYTES;
    }

    void close() {
        for (Call call = free.pollLast(); call != null; call = free.pollLast()) {
            call.close();
        }
        freeBytes = 0;
    }
}
