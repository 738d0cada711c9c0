// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.memory.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// A tensor with random elements, as JSON and as bytes.
///
/// Numbers have random bits, so that all of them occur: NaN, infinities, denormals and both zeros, too.
final class RandomTensor {
    private final DataType type;
    private final int[] shape;
    /// Each element's bytes, of strings without their lengths.
    private final List<byte[]> elements = new ArrayList<>();

    private RandomTensor(DataType type, int[] shape) {
        this.type = type;
        this.shape = shape;
    }

    /// @param asText whether strings are such that JSON can carry them
    static RandomTensor of(SplittableRandom random, DataType type, boolean asText, int... shape) {
        RandomTensor tensor = new RandomTensor(type, shape);
        int count = Arrays.stream(shape).reduce(1, (one, other) -> one * other);
        for (int i = 0; i < count; i++) {
            tensor.elements.add(
                    switch (type) {
                        case BOOL -> new byte[] {(byte) random.nextInt(2)};
                        case BYTES -> asText ? text(random) : bytes(random);
                        default -> {
                            byte[] bits = new byte[type.byteSize()];
                            random.nextBytes(bits);
                            yield bits;
                        }
                    });
        }
        return tensor;
    }

    private static byte[] bytes(SplittableRandom random) {
        byte[] bytes = new byte[random.nextInt(9)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) random.nextInt(1, 256);
        }
        return bytes;
    }

    private static byte[] text(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        for (int count = random.nextInt(6); count > 0; count--) {
            text.appendCodePoint(
                    switch (random.nextInt(4)) {
                        case 0 -> random.nextInt(1, 0x20);
                        case 1 -> random.nextInt(0x20, 0x7F);
                        case 2 -> random.nextInt(0x80, 0xD800);
                        default -> random.nextInt(0x10000, 0x110000);
                    });
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    boolean isText() {
        return type == DataType.BYTES;
    }

    String shape() {
        return Arrays.toString(shape);
    }

    /// The elements as the protocol has them behind the JSON.
    byte[] binary() {
        byte[][] all = elements.toArray(byte[][]::new);
        return type == DataType.BYTES ? BinaryMessage.strings(all) : BinaryMessage.concat(all);
    }

    /// The elements as JSON.
    ///
    /// @param nested whether they are nested as the shape is
    String json(boolean nested) {
        List<String> texts = new ArrayList<>(elements.stream().map(this::json).toList());
        for (int axis = shape.length - 1; axis > 0 && nested; axis--) {
            texts = grouped(texts, axis);
        }
        return texts.toString();
    }

    /// Puts every `shape[axis]` texts into an array; where that is 0, as many empty arrays as the dimensions before ask
    /// for.
    private List<String> grouped(List<String> texts, int axis) {
        int groups = Arrays.stream(shape, 0, axis).reduce(1, (one, other) -> one * other);
        List<String> arrays = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            arrays.add(texts.subList(group * shape[axis], (group + 1) * shape[axis])
                    .toString());
        }
        return arrays;
    }

    private String json(byte[] element) {
        ByteBuffer bits = ByteBuffer.wrap(element).order(ByteOrder.LITTLE_ENDIAN);
        return switch (type) {
            case BOOL -> element[0] == 1 ? "true" : "false";
            case BYTES ->
                new String(new dev.millrace.json.JsonWriter().string(element).toBytes(), StandardCharsets.UTF_8);
            case INT8 -> Byte.toString(element[0]);
            case UINT8 -> Integer.toString(element[0] & 0xFF);
            case INT16 -> Short.toString(bits.getShort());
            case UINT16 -> Integer.toString(bits.getShort() & 0xFFFF);
            case INT32 -> Integer.toString(bits.getInt());
            case UINT32 -> Integer.toUnsignedString(bits.getInt());
            case INT64 -> Long.toString(bits.getLong());
            case UINT64 -> Long.toUnsignedString(bits.getLong());
            case FP16 -> Float.toString(Float.float16ToFloat(bits.getShort()));
            case BF16 -> Float.toString(Float.intBitsToFloat(bits.getShort() << 16));
            case FP32 -> Float.toString(bits.getFloat());
            case FP64 -> Double.toString(bits.getDouble());
        };
    }

    /// What stands for each element: strings for strings, otherwise its bits, all kinds of NaN being one.
    List<Object> values() {
        return elements.stream().map(this::value).toList();
    }

    private Object value(byte[] element) {
        if (type == DataType.BYTES) {
            return new String(element, StandardCharsets.ISO_8859_1);
        }
        ByteBuffer bits = ByteBuffer.wrap(element).order(ByteOrder.LITTLE_ENDIAN);
        return switch (type) {
            case FP16 -> (long) Float.floatToIntBits(Float.float16ToFloat(bits.getShort()));
            case BF16 -> (long) Float.floatToIntBits(Float.intBitsToFloat(bits.getShort() << 16));
            case FP32 -> (long) Float.floatToIntBits(bits.getFloat());
            case FP64 -> Double.doubleToLongBits(bits.getDouble());
            default -> Arrays.toString(element);
        };
    }

    /// The same for elements of this tensor's type that came as bytes; not for strings.
    List<Object> values(byte[] binary) {
        List<Object> values = new ArrayList<>();
        for (int at = 0; at < binary.length; at += type.byteSize()) {
            values.add(value(Arrays.copyOfRange(binary, at, at + type.byteSize())));
        }
        return values;
    }

    /// The same for elements of this tensor's type that came as JSON.
    List<Object> values(List<String> json) {
        return json.stream().map(this::value).toList();
    }

    private Object value(String json) {
        return switch (type) {
            case BYTES -> new String(json.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
            case FP16, BF16, FP32 -> (long) Float.floatToIntBits(Float.parseFloat(json));
            case FP64 -> Double.doubleToLongBits(Double.parseDouble(json));
            case BOOL -> Arrays.toString(new byte[] {(byte) (json.equals("true") ? 1 : 0)});
            default -> {
                long value = type == DataType.UINT64 ? Long.parseUnsignedLong(json) : Long.parseLong(json);
                byte[] bits = new byte[type.byteSize()];
                for (int i = 0; i < bits.length; i++) {
                    bits[i] = (byte) (value >> (8 * i));
                }
                yield Arrays.toString(bits);
            }
        };
    }
}
