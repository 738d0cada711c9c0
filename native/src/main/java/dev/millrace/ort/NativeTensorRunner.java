// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.memory.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Whole tensors through the C API. Numeric inputs are read where they lie; outputs are allocated by ONNX Runtime,
/// whose shapes are not known before, and copied out.
@SuppressWarnings("restricted") // reads memory that ONNX Runtime owns
final class NativeTensorRunner implements TensorRunner {
    /// More dimensions than any model in practice has; NumPy's limit.
    private static final int MAX_RANK = 32;

    private final long session;
    private final List<ValueInfo> inputInfos;
    private final List<ValueInfo> outputInfos;
    private final NativeCallFrame frame;
    private final OffHeapRegion scratch = OffHeapRegion.allocate(MemoryTag.ORT, 8L * (1 + MAX_RANK));
    private final long[] dims = new long[MAX_RANK];
    private final HighWater size = new HighWater();

    NativeTensorRunner(long session, SessionSettings.Arena arena, List<ValueInfo> inputs, List<ValueInfo> outputs) {
        this.session = session;
        this.inputInfos = inputs;
        this.outputInfos = outputs;
        this.frame = new NativeCallFrame(
                arena,
                inputs.stream().map(ValueInfo::name).toList(),
                outputs.stream().map(ValueInfo::name).toList(),
                MAX_RANK);
    }

    @Override
    public void run(Tensor[] inputs, Tensor[] outputs) {
        try {
            for (int i = 0; i < inputs.length; i++) {
                createInput(i, inputs[i]);
            }
            frame.run(session);
            for (int i = 0; i < outputs.length; i++) {
                copyOut(frame.value(inputs.length + i), outputInfos.get(i), outputs[i]);
            }
        } finally {
            frame.releaseValues();
        }
        if (size.isBehind(bytes(inputs) + bytes(outputs))) {
            frame.shrinkAfterNextRun();
        }
    }

    private static long bytes(Tensor[] tensors) {
        long bytes = 0;
        for (Tensor tensor : tensors) {
            bytes += tensor.byteSize();
        }
        return bytes;
    }

    private void createInput(int index, Tensor tensor) {
        int rank = tensor.rank();
        if (rank > MAX_RANK) {
            throw new OrtFailure(-1, "input '" + inputInfos.get(index).name() + "' has " + rank + " dimensions");
        }
        MemorySegment shape = frame.shape(index);
        for (int axis = 0; axis < rank; axis++) {
            shape.setAtIndex(JAVA_LONG, axis, tensor.dim(axis));
        }
        if (tensor.datatype() == DataType.BYTES) {
            createStrings(index, tensor);
        } else {
            OrtApi.createTensorWithData(
                    tensor.address(),
                    tensor.byteSize(),
                    frame.shapeAddress(index),
                    rank,
                    tensor.datatype().onnxCode(),
                    frame.valueAddress(index));
        }
    }

    private void createStrings(int index, Tensor tensor) {
        OrtApi.createStringTensor(frame.shapeAddress(index), tensor.rank(), frame.valueAddress(index));
        int count = (int) tensor.elementCount();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ADDRESS, count);
            for (int i = 0; i < count; i++) {
                byte[] bytes = tensor.getBytes(i);
                refuseNul(inputInfos.get(index).name(), i, bytes);
                MemorySegment text = arena.allocate(bytes.length + 1L);
                MemorySegment.copy(bytes, 0, text, JAVA_BYTE, 0, bytes.length);
                pointers.setAtIndex(ADDRESS, i, text);
            }
            OrtApi.fillStrings(frame.value(index), pointers.address(), count);
        }
    }

    /// ONNX Runtime takes strings that end at the first NUL, and would cut these without a word.
    static void refuseNul(String input, int index, byte[] text) {
        for (byte b : text) {
            if (b == 0) {
                throw new OrtFailure(
                        -1, "input '" + input + "': string " + index + " contains a NUL, which cannot be passed on");
            }
        }
    }

    private void copyOut(long value, ValueInfo info, Tensor target) {
        if (value == 0) {
            target.reshape(0);
            return;
        }
        int rank = readShape(value, info, target);
        target.reshape(dims, rank);
        if (target.datatype() == DataType.BYTES) {
            copyStrings(value, target);
        } else if (target.byteSize() > 0) {
            OrtApi.tensorData(value, scratch.address());
            long source = scratch.segment().get(JAVA_LONG, 0);
            MemorySegment elements = MemorySegment.ofAddress(source).reinterpret(target.byteSize());
            MemorySegment.copy(elements, 0, target.data(), 0, target.byteSize());
        }
    }

    /// Reads the shape into [#dims] and returns the rank.
    private int readShape(long value, ValueInfo info, Tensor target) {
        MemorySegment memory = scratch.segment();
        OrtApi.typeAndShape(value, scratch.address());
        long typeAndShape = memory.get(JAVA_LONG, 0);
        try {
            OrtApi.elementType(typeAndShape, scratch.address());
            int type = (int) memory.get(JAVA_LONG, 0);
            if (type != target.datatype().onnxCode()) {
                throw new OrtFailure(
                        -1,
                        "output '" + info.name() + "' came with ONNX type " + type + ", declared was "
                                + target.datatype());
            }
            OrtApi.rank(typeAndShape, scratch.address());
            int rank = Math.toIntExact(memory.get(JAVA_LONG, 0));
            if (rank > MAX_RANK) {
                throw new OrtFailure(-1, "output '" + info.name() + "' has " + rank + " dimensions");
            }
            OrtApi.dims(typeAndShape, scratch.address() + 8, rank);
            MemorySegment.copy(memory, JAVA_LONG, 8, dims, 0, rank);
            return rank;
        } finally {
            OrtApi.releaseTypeAndShape(typeAndShape);
        }
    }

    private void copyStrings(long value, Tensor target) {
        int count = (int) target.elementCount();
        OrtApi.stringsLength(value, scratch.address());
        long length = scratch.segment().get(JAVA_LONG, 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, length));
            MemorySegment offsets = arena.allocate(JAVA_LONG, count + 1L);
            OrtApi.strings(value, bytes.address(), length, offsets.address(), count);
            offsets.setAtIndex(JAVA_LONG, count, length);
            for (int i = 0; i < count; i++) {
                long from = offsets.getAtIndex(JAVA_LONG, i);
                long to = offsets.getAtIndex(JAVA_LONG, i + 1L);
                target.setBytes(i, bytes.asSlice(from, to - from).toArray(JAVA_BYTE));
            }
        }
    }

    @Override
    public long running() {
        return frame.running();
    }

    @Override
    public boolean terminate(long number) {
        return frame.terminate(number);
    }

    @Override
    public void close() {
        frame.close();
        scratch.close();
    }
}
