// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The protocol's datatypes: how their elements look as JSON and as bytes, and what ONNX and Triton call them.
///
/// Elements are Boolean, BigInteger, Float (also those of 16 bits), Double and, for BYTES, a String with a character
/// from 0 to 255 for each byte. So `equals` tells floats apart by their bits, but takes all NaNs for one.
enum Datatype {
    BOOL(1, 9),
    UINT8(1, 2),
    UINT16(2, 4),
    UINT32(4, 12),
    UINT64(8, 13),
    INT8(1, 3),
    INT16(2, 5),
    INT32(4, 6),
    INT64(8, 7),
    FP16(2, 10),
    BF16(2, 16),
    FP32(4, 1),
    FP64(8, 11),
    BYTES(-1, 8);

    private static final int BF16_SHIFT = 16;

    private final int size;
    private final int onnxCode;

    Datatype(int size, int onnxCode) {
        this.size = size;
        this.onnxCode = onnxCode;
    }

    static Datatype of(String name) {
        for (Datatype datatype : values()) {
            if (datatype.name().equals(name)) {
                return datatype;
            }
        }
        throw Unmet.because("'" + name + "' is no datatype of the protocol");
    }

    /// Its number in ONNX's TensorProto.
    int onnxCode() {
        return onnxCode;
    }

    /// Its name in config.pbtxt.
    String configName() {
        return this == BYTES ? "TYPE_STRING" : "TYPE_" + name();
    }

    boolean isInteger() {
        return name().contains("INT");
    }

    boolean isSigned() {
        return name().startsWith("INT");
    }

    /// Bits of a number.
    int bits() {
        return size * Byte.SIZE;
    }

    /// How many bytes an element takes.
    int sizeOf(Object element) {
        return this == BYTES ? Integer.BYTES + ((String) element).length() : size;
    }

    /// The element that a JSON value stands for.
    Object fromJson(Json json) {
        try {
            return switch (this) {
                case BOOL -> json.bool();
                case BYTES -> latin(json.text().getBytes(StandardCharsets.UTF_8));
                case FP32 -> Float.parseFloat(json.digits());
                case FP64 -> Double.parseDouble(json.digits());
                case FP16 -> Float.float16ToFloat(Float.floatToFloat16(Float.parseFloat(json.digits())));
                case BF16 -> truncated(Float.parseFloat(json.digits()));
                default -> json.integer();
            };
        } catch (NumberFormatException _) {
            throw Unmet.because("expected a number, came " + json);
        }
    }

    /// Bytes as text with a character for each.
    static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /// The float with the 16 bits that BF16 keeps. What servers print for a BF16 is one already.
    private static float truncated(float value) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(value) >>> BF16_SHIFT << BF16_SHIFT);
    }

    void write(Object element, ByteBuffer target) {
        switch (this) {
            case BOOL -> target.put((byte) ((Boolean) element ? 1 : 0));
            case FP16 -> target.putShort(Float.floatToFloat16((Float) element));
            case BF16 -> target.putShort((short) (Float.floatToRawIntBits((Float) element) >>> BF16_SHIFT));
            case FP32 -> target.putFloat((Float) element);
            case FP64 -> target.putDouble((Double) element);
            case BYTES -> {
                byte[] bytes = ((String) element).getBytes(StandardCharsets.ISO_8859_1);
                target.putInt(bytes.length).put(bytes);
            }
            default -> {
                long value = ((java.math.BigInteger) element).longValue();
                for (int i = 0; i < size; i++) {
                    target.put((byte) (value >>> (Byte.SIZE * i)));
                }
            }
        }
    }

    Object read(ByteBuffer source) {
        return switch (this) {
            case BOOL -> bool(source.get());
            case FP16 -> Float.float16ToFloat(source.getShort());
            case BF16 -> Float.intBitsToFloat(source.getShort() << BF16_SHIFT);
            case FP32 -> source.getFloat();
            case FP64 -> source.getDouble();
            case BYTES -> {
                int length = source.getInt();
                if (length < 0 || length > source.remaining()) {
                    throw Unmet.because("a BYTES element has the length " + Integer.toUnsignedLong(length) + ", but "
                            + source.remaining() + " bytes are left");
                }
                byte[] bytes = new byte[length];
                source.get(bytes);
                yield latin(bytes);
            }
            default -> {
                byte[] bigEndian = new byte[size];
                for (int i = size - 1; i >= 0; i--) {
                    bigEndian[i] = source.get();
                }
                yield isSigned() ? new java.math.BigInteger(bigEndian) : new java.math.BigInteger(1, bigEndian);
            }
        };
    }

    private static boolean bool(byte value) {
        if (value != 0 && value != 1) {
            throw Unmet.because("a BOOL is the byte " + value + ", expected 0 or 1");
        }
        return value == 1;
    }
}
