// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/// Reads the elements of a model's tensors, wherever they are: as bytes or as numbers in the model's file, or in
/// another.
///
/// Threads: any. Ownership: what it gives is the caller's.
public final class TensorValues {
    private static final int FLOAT_DATA = 4;
    private static final int INT32_DATA = 5;
    private static final int DOUBLE_DATA = 10;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private TensorValues() {}

    /// The elements as floats.
    ///
    /// @param tensor of [ElementType#FLOAT], [ElementType#DOUBLE], [ElementType#FLOAT16] or [ElementType#BFLOAT16]
    /// @throws IOException if the file that it is in cannot be read
    /// @throws InvalidModelException if it has other elements, or not as many as its shape says
    public static float[] floats(OnnxFile model, OnnxTensor tensor) throws IOException {
        tensor.check();
        if (tensor.isExternal()) {
            return external(model, tensor);
        }
        return tensor.raw().isPresent() ? floats(tensor, tensor.raw().get()) : numbers(tensor);
    }

    private static float[] external(OnnxFile model, OnnxTensor tensor) throws IOException {
        ExternalTensors files = new ExternalTensors(model.path());
        files.check(tensor);
        Map<String, String> entries = tensor.external();
        Path file = model.path().toAbsolutePath().resolveSibling(entries.get("location"));
        long offset = Long.parseLong(entries.getOrDefault("offset", "0"));
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return floats(tensor, channel.map(FileChannel.MapMode.READ_ONLY, offset, tensor.byteSize(), arena));
        }
    }

    private static float[] floats(OnnxTensor tensor, MemorySegment raw) {
        float[] values = new float[Math.toIntExact(tensor.elements())];
        ElementType type = tensor.type();
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (type) {
                case FLOAT -> raw.get(FLOAT, (long) Float.BYTES * i);
                case DOUBLE -> (float) raw.get(DOUBLE, (long) Double.BYTES * i);
                case FLOAT16 -> Float.float16ToFloat(raw.get(SHORT, (long) Short.BYTES * i));
                case BFLOAT16 -> bfloat16(raw.get(SHORT, (long) Short.BYTES * i));
                default -> throw noFloats(tensor);
            };
        }
        return values;
    }

    /// From the field that the type has for numbers.
    private static float[] numbers(OnnxTensor tensor) {
        ElementType type = tensor.type();
        if (type == ElementType.FLOAT) {
            return tensor.message().reals(FLOAT_DATA);
        }
        if (type == ElementType.DOUBLE) {
            double[] doubles = tensor.message().doubles(DOUBLE_DATA);
            float[] values = new float[doubles.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) doubles[i];
            }
            return values;
        }
        if (type != ElementType.FLOAT16 && type != ElementType.BFLOAT16) {
            throw noFloats(tensor);
        }
        long[] bits = tensor.message().numbers(INT32_DATA);
        float[] values = new float[bits.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = type == ElementType.FLOAT16 ? Float.float16ToFloat((short) bits[i]) : bfloat16((short) bits[i]);
        }
        return values;
    }

    private static float bfloat16(short bits) {
        return Float.intBitsToFloat(bits << Short.SIZE);
    }

    private static InvalidModelException noFloats(OnnxTensor tensor) {
        return new InvalidModelException(
                "tensor '" + tensor.name() + "' has elements of " + tensor.type() + ", expected floats");
    }
}
