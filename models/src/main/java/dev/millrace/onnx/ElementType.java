// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.Optional;

/// The types of a tensor's elements, by ONNX's names and numbers.
public enum ElementType {
    FLOAT(1, 32),
    UINT8(2, 8),
    INT8(3, 8),
    UINT16(4, 16),
    INT16(5, 16),
    INT32(6, 32),
    INT64(7, 64),
    /// Elements differ in length.
    STRING(8, 0),
    BOOL(9, 8),
    FLOAT16(10, 16),
    DOUBLE(11, 64),
    UINT32(12, 32),
    UINT64(13, 64),
    COMPLEX64(14, 64),
    COMPLEX128(15, 128),
    BFLOAT16(16, 16),
    FLOAT8E4M3FN(17, 8),
    FLOAT8E4M3FNUZ(18, 8),
    FLOAT8E5M2(19, 8),
    FLOAT8E5M2FNUZ(20, 8),
    UINT4(21, 4),
    INT4(22, 4),
    FLOAT4E2M1(23, 4),
    FLOAT8E8M0(24, 8),
    UINT2(25, 2),
    INT2(26, 2);

    private static final ElementType[] VALUES = values();

    private final int code;
    private final int bits;

    ElementType(int code, int bits) {
        this.code = code;
        this.bits = bits;
    }

    /// ONNX's number.
    public int code() {
        return code;
    }

    /// Bits of an element; 0 for [#STRING]. Elements of less than a byte are packed.
    public int bits() {
        return bits;
    }

    /// What so many elements take.
    ///
    /// @throws ArithmeticException if that is more than can be counted
    public long bytes(long elements) {
        long whole = Math.multiplyExact(elements / Byte.SIZE, (long) bits);
        return Math.addExact(whole, (elements % Byte.SIZE * bits + Byte.SIZE - 1) / Byte.SIZE);
    }

    /// The type of this number, if there is one.
    public static Optional<ElementType> of(long code) {
        for (ElementType type : VALUES) {
            if (type.code == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
