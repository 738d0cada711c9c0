// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A tensor on the heap: what a contestant is asked, or what it answered.
///
/// Threads: as good as immutable; nobody changes its arrays.
///
/// @param name the input's or output's name
/// @param datatype the element type
/// @param shape the dimensions
/// @param array the elements in row-major order, as ONNX stores them: `float[]`, `double[]`, `long[]`, `int[]`,
///     `short[]` (16-bit floats, too, by their bits), `byte[]` (booleans, too) or `String[]`
public record Value(String name, DataType datatype, long[] shape, Object array) {
    /// A value whose elements are still zero, or null where they are strings.
    static Value empty(String name, DataType datatype, long[] shape) {
        int count = Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
        Object array = switch (datatype) {
            case FP32 -> new float[count];
            case FP64 -> new double[count];
            case INT64, UINT64 -> new long[count];
            case INT32, UINT32 -> new int[count];
            case INT16, UINT16, FP16, BF16 -> new short[count];
            case INT8, UINT8, BOOL -> new byte[count];
            case BYTES -> new String[count];
        };
        return new Value(name, datatype, shape, array);
    }

    /// A copy of one of our tensors.
    static Value of(String name, Tensor tensor) {
        Value value = empty(name, tensor.datatype(), tensor.shape());
        if (tensor.datatype() == DataType.BYTES) {
            String[] texts = (String[]) value.array;
            Arrays.setAll(texts, tensor::getString);
        } else {
            MemorySegment.copy(tensor.data(), 0, value.segment(), 0, tensor.byteSize());
        }
        return value;
    }

    /// A copy of what a Java API answered: a flat or nested array, or one boxed element. Integers are taken by their
    /// low bits, whatever their width; floating-point numbers are rounded to the type.
    static Value ofJava(String name, DataType datatype, long[] shape, Object elements) {
        Value value = empty(name, datatype, shape);
        int filled = value.fill(0, elements);
        if (filled != value.count()) {
            throw new IllegalStateException(
                    "output '" + name + "' has " + filled + " elements for shape " + Arrays.toString(shape));
        }
        return value;
    }

    private int fill(int from, Object elements) {
        if (elements == null || !elements.getClass().isArray()) {
            set(from, elements);
            return from + 1;
        }
        int next = from;
        for (int i = 0; i < Array.getLength(elements); i++) {
            next = fill(next, Array.get(elements, i));
        }
        return next;
    }

    /// Sets an element from a boxed one of any width.
    void set(int index, Object element) {
        switch (array) {
            case float[] floats -> floats[index] = ((Number) element).floatValue();
            case double[] doubles -> doubles[index] = ((Number) element).doubleValue();
            case long[] longs -> longs[index] = ((Number) element).longValue();
            case int[] ints -> ints[index] = ((Number) element).intValue();
            case short[] shorts -> shorts[index] = halfOrShort((Number) element);
            case byte[] bytes ->
                bytes[index] = element instanceof Boolean flag ? (byte) (flag ? 1 : 0) : ((Number) element).byteValue();
            default -> ((String[]) array)[index] = (String) element;
        }
    }

    private short halfOrShort(Number element) {
        return switch (datatype) {
            case FP16 -> Float.floatToFloat16(element.floatValue());
            // What comes has 16 bits or is a short number of steps: nothing is lost that rounding would keep.
            case BF16 -> (short) (Float.floatToRawIntBits(element.floatValue()) >>> 16);
            default -> element.shortValue();
        };
    }

    /// The number of elements.
    int count() {
        return Array.getLength(array);
    }

    /// Element `index` as a number, if it is one.
    double real(int index) {
        return switch (datatype) {
            case FP32 -> ((float[]) array)[index];
            case FP64 -> ((double[]) array)[index];
            case FP16 -> Float.float16ToFloat(((short[]) array)[index]);
            case BF16 -> Float.intBitsToFloat(((short[]) array)[index] << 16);
            case INT64, UINT64 -> ((long[]) array)[index];
            case INT32 -> ((int[]) array)[index];
            case UINT32 -> Integer.toUnsignedLong(((int[]) array)[index]);
            case INT16 -> ((short[]) array)[index];
            case UINT16 -> Short.toUnsignedInt(((short[]) array)[index]);
            case INT8 -> ((byte[]) array)[index];
            case UINT8, BOOL -> Byte.toUnsignedInt(((byte[]) array)[index]);
            case BYTES -> Double.NaN;
        };
    }

    /// Element `index` for a message.
    String show(int index) {
        Object element = Array.get(array, index);
        return datatype == DataType.FP16 || datatype == DataType.BF16
                ? Float.toString((float) real(index))
                : String.valueOf(element);
    }

    /// Whether both hold the same bits at these places.
    boolean same(int index, Value other, int otherIndex) {
        return switch (array) {
            case float[] floats ->
                Float.floatToRawIntBits(floats[index]) == Float.floatToRawIntBits(((float[]) other.array)[otherIndex]);
            case double[] doubles ->
                Double.doubleToRawLongBits(doubles[index])
                        == Double.doubleToRawLongBits(((double[]) other.array)[otherIndex]);
            default -> Array.get(array, index).equals(Array.get(other.array, otherIndex));
        };
    }

    /// The elements where they lie, for copies; not for strings.
    MemorySegment segment() {
        return switch (array) {
            case float[] floats -> MemorySegment.ofArray(floats);
            case double[] doubles -> MemorySegment.ofArray(doubles);
            case long[] longs -> MemorySegment.ofArray(longs);
            case int[] ints -> MemorySegment.ofArray(ints);
            case short[] shorts -> MemorySegment.ofArray(shorts);
            case byte[] bytes -> MemorySegment.ofArray(bytes);
            default -> throw new IllegalStateException("strings do not lie in one piece");
        };
    }

    /// The elements as this project's requests take them: 16-bit floats as `float[]`, booleans as `boolean[]`, and
    /// what has no sign as the next wider type.
    Object asRequest() {
        return switch (datatype) {
            case FP16, BF16 -> {
                float[] wide = new float[count()];
                for (int i = 0; i < wide.length; i++) {
                    wide[i] = (float) real(i);
                }
                yield wide;
            }
            case BOOL -> booleans();
            case UINT8, UINT16, UINT32 -> {
                long[] wide = new long[count()];
                Arrays.setAll(wide, i -> (long) real(i));
                yield wide;
            }
            default -> array;
        };
    }

    /// A BOOL value as Java has it.
    boolean[] booleans() {
        byte[] bytes = (byte[]) array;
        boolean[] flags = new boolean[bytes.length];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = bytes[i] != 0;
        }
        return flags;
    }

    /// A BYTES value as UTF-8.
    byte[][] utf8() {
        return Arrays.stream((String[]) array)
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
    }
}
