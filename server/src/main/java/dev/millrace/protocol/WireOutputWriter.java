// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Outcome;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Writes the outputs of calls as `ModelInferResponse`, which may lie in a `ModelStreamInferResponse`: its elements go
/// from the call's tensors to a stream, a piece at a time.
///
/// Threads: one; used again and again. Ownership: the call that it answers stays its owner's.
public final class WireOutputWriter {
    private static final int PIECE = 1 << 14;
    private static final int LENGTH_BYTES = 4;
    /// gRPC counts the bytes of a message with an int, and puts some before it.
    private static final long MAX_BYTES = Integer.MAX_VALUE - 64;

    private static final int MODEL_NAME = 1;
    private static final int MODEL_VERSION = 2;
    private static final int ID = 3;
    private static final int OUTPUTS = 5;
    private static final int RAW_OUTPUT_CONTENTS = 6;

    private static final int OUTPUT_NAME = 1;
    private static final int OUTPUT_DATATYPE = 2;
    private static final int OUTPUT_SHAPE = 3;
    private static final int OUTPUT_PARAMETERS = 4;

    private static final int MAP_KEY = 1;
    private static final int MAP_VALUE = 2;
    private static final int STRING_PARAM = 3;

    private static final int ERROR_MESSAGE = 1;
    private static final int INFER_RESPONSE = 2;

    /// By the names of models.
    private final Map<String, Parts> known = new HashMap<>();

    private final WireWriter front = new WireWriter();
    private final WireWriter head = new WireWriter();
    private final WireWriter scratch = new WireWriter();
    private final byte[] piece = new byte[PIECE];
    private final MemorySegment pieceMemory = MemorySegment.ofArray(piece);
    private Parts parts;
    private Call call;
    private RequestedOutputs outputs = RequestedOutputs.ALL;
    /// By place in the answer, classes of outputs that are wanted in place of their values.
    private Tensor[] classes = {};

    private int length;

    /// What is the same in all answers of one model version.
    ///
    /// @param signature whose outputs they are
    /// @param model the names of model and version
    /// @param outputs each output's and then each report's name and datatype
    /// @param classes the same of its classes
    private record Parts(Signature signature, byte[] model, byte[][] outputs, byte[][] classes) {
        static Parts of(Call call) {
            WireWriter writer = new WireWriter();
            byte[] model = writer.bytes(MODEL_NAME, utf8(call.model()))
                    .bytes(MODEL_VERSION, utf8(Long.toString(call.version())))
                    .toBytes();
            List<TensorSpec> all = new ArrayList<>(call.signature().outputs());
            all.addAll(call.signature().reports());
            byte[][] outputs = all.stream()
                    .map(output -> start(writer, output, output.datatype()))
                    .toArray(byte[][]::new);
            byte[][] classes = all.stream()
                    .map(output -> start(writer, output, DataType.BYTES))
                    .toArray(byte[][]::new);
            return new Parts(call.signature(), model, outputs, classes);
        }

        private static byte[] start(WireWriter writer, TensorSpec output, DataType type) {
            return writer.reset()
                    .bytes(OUTPUT_NAME, utf8(output.name()))
                    .bytes(OUTPUT_DATATYPE, utf8(type.name()))
                    .toBytes();
        }

        @Hot
        @SuppressWarnings("ReferenceEquality") // every version of a model has a signature of its own
        boolean areOf(Call call) {
            return signature == call.signature();
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /// Gets ready to answer a request.
    ///
    /// @param ended the call that has ended well
    /// @param names knows the names of classes of the call's model
    /// @param id the request's id, or null
    /// @param wanted the outputs to write
    /// @param streamed whether the answer is one of a stream's
    /// @throws Refusal if no message can hold so much
    @Hot
    public void answer(Call ended, OutputWriter names, String id, RequestedOutputs wanted, boolean streamed) {
        call = ended;
        outputs = wanted;
        if (parts == null || !parts.areOf(ended)) {
            otherModel();
        }
        head.reset().raw(parts.model);
        if (id != null) {
            writeId(id);
        }
        int count = outputs.count(parts.signature.outputs().size());
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            int index = outputs.index(i);
            if (outputs.classes(i) > 0) {
                classify(names, index, i);
            }
            Tensor tensor = tensor(i);
            writeOutput(index, tensor);
            long size = rawBytes(tensor);
            bytes += 1 + WireWriter.varintSize(size) + size;
        }
        settle(head.length() + bytes, streamed);
    }

    /// Makes classes of the output in a place of the answer.
    private void classify(OutputWriter names, int index, int place) {
        if (classes.length < parts.outputs.length) {
            classes = new Tensor[parts.outputs.length];
        }
        classes[place] = names.classes(call.output(index), index, outputs.classes(place));
    }

    /// What the answer has in a place.
    @Hot
    private Tensor tensor(int place) {
        return outputs.classes(place) > 0 ? classes[place] : call.output(outputs.index(place));
    }

    private void otherModel() {
        parts = known.get(call.model());
        if (parts == null || !parts.areOf(call)) {
            parts = Parts.of(call);
            known.put(call.model(), parts);
        }
    }

    private void writeId(String id) {
        head.bytes(ID, utf8(id));
    }

    @Hot
    private void writeOutput(int index, Tensor tensor) {
        DataType type = call.signature().answer(index).datatype();
        scratch.reset().raw(tensor.datatype() == type ? parts.outputs[index] : parts.classes[index]);
        int shapeBytes = 0;
        for (int axis = 0; axis < tensor.rank(); axis++) {
            shapeBytes += WireWriter.varintSize(tensor.dim(axis));
        }
        if (shapeBytes > 0) {
            scratch.begin(OUTPUT_SHAPE, shapeBytes);
            for (int axis = 0; axis < tensor.rank(); axis++) {
                scratch.varint(tensor.dim(axis));
            }
        }
        if (!tensor.keys().isEmpty()) {
            writeKeys(tensor);
        }
        head.begin(OUTPUTS, scratch.length()).raw(scratch.array(), scratch.length());
    }

    /// The columns' names, as the answer in JSON has them.
    private void writeKeys(Tensor tensor) {
        byte[] value = new WireWriter()
                .bytes(STRING_PARAM, OutputWriter.keys(tensor.keys()))
                .toBytes();
        byte[] entry = new WireWriter()
                .bytes(MAP_KEY, utf8("keys"))
                .bytes(MAP_VALUE, value)
                .toBytes();
        scratch.bytes(OUTPUT_PARAMETERS, entry);
    }

    @Hot
    private static long rawBytes(Tensor tensor) {
        if (tensor.datatype() != DataType.BYTES) {
            return tensor.byteSize();
        }
        long bytes = 0;
        for (int i = 0; i < tensor.elementCount(); i++) {
            bytes += LENGTH_BYTES + tensor.getBytes(i).length;
        }
        return bytes;
    }

    @Hot
    private void settle(long bytes, boolean streamed) {
        front.reset();
        if (streamed) {
            front.begin(INFER_RESPONSE, bytes);
        }
        if (bytes > MAX_BYTES) {
            throw tooLarge(bytes);
        }
        length = (int) bytes + front.length();
    }

    private static Refusal tooLarge(long bytes) {
        return new Refusal(
                Outcome.TOO_LARGE, "the answer has " + bytes + " bytes, more than the " + MAX_BYTES + " of a message");
    }

    /// Gets ready to tell on a stream why a request is not answered.
    ///
    /// @param id the request's id, or null
    public void error(String message, String id) {
        call = null;
        head.reset();
        byte[] response =
                id == null ? new byte[0] : new WireWriter().bytes(ID, utf8(id)).toBytes();
        front.reset().bytes(ERROR_MESSAGE, utf8(message)).bytes(INFER_RESPONSE, response);
        length = front.length();
    }

    /// How many bytes the answer has.
    public int length() {
        return length;
    }

    /// Writes the answer.
    public void write(OutputStream target) throws IOException {
        target.write(front.array(), 0, front.length());
        target.write(head.array(), 0, head.length());
        if (call != null) {
            int count = outputs.count(parts.signature.outputs().size());
            for (int i = 0; i < count; i++) {
                writeElements(tensor(i), target);
            }
        }
    }

    private void writeElements(Tensor tensor, OutputStream target) throws IOException {
        scratch.reset().begin(RAW_OUTPUT_CONTENTS, rawBytes(tensor));
        target.write(scratch.array(), 0, scratch.length());
        if (tensor.datatype() == DataType.BYTES) {
            writeTexts(tensor, target);
            return;
        }
        long size = tensor.byteSize();
        for (long done = 0; done < size; ) {
            int bytes = (int) Math.min(PIECE, size - done);
            MemorySegment.copy(tensor.data(), done, pieceMemory, 0, bytes);
            target.write(piece, 0, bytes);
            done += bytes;
        }
    }

    private void writeTexts(Tensor tensor, OutputStream target) throws IOException {
        for (int i = 0; i < tensor.elementCount(); i++) {
            byte[] text = tensor.getBytes(i);
            for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
                piece[shift / Byte.SIZE] = (byte) (text.length >>> shift);
            }
            target.write(piece, 0, LENGTH_BYTES);
            target.write(text);
        }
    }

    /// Forgets the call.
    public void clear() {
        call = null;
        outputs = RequestedOutputs.ALL;
        Arrays.fill(classes, null);
    }
}
