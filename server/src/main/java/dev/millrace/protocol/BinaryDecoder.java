// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Takes the elements of an input from bytes as they are: row-major, the lowest byte first, a BOOL in one byte, and
/// each string behind its length in four.
///
/// Numbers go into the tensor with one copy. Threads: stateless.
final class BinaryDecoder {
    private static final int LENGTH_BYTES = 4;

    private BinaryDecoder() {}

    /// Gives a tensor its shape and its elements.
    ///
    /// @param input the input's name, for messages
    /// @param shape the sizes of its dimensions are the first `rank` values, whose product is no overflow
    /// @param from where the tensor's bytes begin
    /// @param size how many they are; the body has them
    @Hot
    static void decode(String input, Tensor tensor, long[] shape, int rank, BinaryBody body, int from, int size) {
        if (tensor.datatype() == DataType.BYTES) {
            decodeStrings(input, tensor, shape, rank, body, from, size);
            return;
        }
        int width = tensor.datatype().byteSize();
        if (size % width != 0 || size / width != elements(shape, rank)) {
            throw wrongSize(input, tensor, shape, rank, size);
        }
        tensor.reshape(shape, rank);
        body.get(from, tensor.data(), size);
        if (tensor.datatype() == DataType.BOOL) {
            requireBooleans(input, tensor.data(), size);
        }
    }

    @Hot
    private static long elements(long[] shape, int rank) {
        long product = 1;
        for (int axis = 0; axis < rank; axis++) {
            product *= shape[axis];
        }
        return product;
    }

    private static Refusal wrongSize(String input, Tensor tensor, long[] shape, int rank, int size) {
        return Refusal.invalid("input '" + input + "' has " + size + " bytes of binary data, which are no "
                + tensor.datatype() + " of shape " + shown(shape, rank));
    }

    private static String shown(long[] shape, int rank) {
        return Arrays.toString(Arrays.copyOf(shape, rank));
    }

    @Hot
    private static void requireBooleans(String input, MemorySegment data, int count) {
        for (int i = 0; i < count; i++) {
            byte value = data.get(ValueLayout.JAVA_BYTE, i);
            if ((value & ~1) != 0) {
                throw notBoolean(input, i, value);
            }
        }
    }

    private static Refusal notBoolean(String input, int index, byte value) {
        return Refusal.invalid(
                "element " + index + " of input '" + input + "' is " + (value & 0xFF) + ", expected 0 or 1 for BOOL");
    }

    private static void decodeStrings(
            String input, Tensor tensor, long[] shape, int rank, BinaryBody body, int from, int size) {
        long elements = elements(shape, rank);
        if (elements > size / LENGTH_BYTES) {
            throw Refusal.invalid("input '" + input + "' has " + size + " bytes of binary data, too few for the "
                    + elements + " strings of shape " + shown(shape, rank));
        }
        tensor.reshape(shape, rank);
        int at = from;
        int end = from + size;
        for (int i = 0; i < elements; i++) {
            int left = end - at - LENGTH_BYTES;
            long length = left < 0 ? 0 : Integer.toUnsignedLong(body.getInt(at));
            if (left < length) {
                throw cutOff(input, i, length, left);
            }
            at += LENGTH_BYTES;
            tensor.setBytes(i, string(input, i, body, at, (int) length));
            at += (int) length;
        }
        if (at != end) {
            throw Refusal.invalid("input '" + input + "' has " + size + " bytes of binary data, " + (end - at)
                    + " more than its " + elements + " strings");
        }
    }

    private static Refusal cutOff(String input, int index, long length, int left) {
        return Refusal.invalid("the binary data of input '" + input + "' ends in element " + index + ", "
                + (left < 0 ? "within its length" : "which has " + length + " bytes of which " + left + " came"));
    }

    /// Reads a string.
    ///
    /// @param index its place in the tensor, for messages
    static byte[] string(String input, int index, BinaryBody body, int from, int length) {
        byte[] text = new byte[length];
        body.get(from, text);
        for (byte character : text) {
            if (character == 0) {
                throw Refusal.invalid("element " + index + " of input '" + input
                        + "' has the byte 0, at which ONNX Runtime would cut it off");
            }
        }
        return text;
    }
}
