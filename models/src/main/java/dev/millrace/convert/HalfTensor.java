// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// A constant in half precision. Immutable by convention.
///
/// @param bytes the elements, little-endian
/// @param beyond how many finite elements are larger than half precision has
/// @param raised how many elements are so small that they would be 0; they are the smallest that there are instead, so
///     that nothing is divided by 0 for it
record HalfTensor(byte[] bytes, long beyond, long raised) {
    /// The largest finite number.
    static final float LARGEST = 65504;

    /// What is not less than this is rounded to infinity.
    private static final float OVERFLOW = 65520;

    private static final short SMALLEST = 1;

    static HalfTensor of(float... values) {
        ByteBuffer halves = ByteBuffer.allocate(Math.multiplyExact(Short.BYTES, values.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        long beyond = 0;
        long raised = 0;
        for (float value : values) {
            short half = Float.floatToFloat16(value);
            if (Float.isFinite(value) && isBeyond(value)) {
                beyond++;
            }
            if (value != 0 && (half & 0x7FFF) == 0) {
                raised++;
                half |= SMALLEST;
            }
            halves.putShort(half);
        }
        return new HalfTensor(halves.array(), beyond, raised);
    }

    /// Whether a number is rounded to infinity.
    static boolean isBeyond(double value) {
        return Math.abs(value) >= OVERFLOW;
    }

    OnnxTensor tensor(String name, long... dims) {
        return OnnxTensor.of(name, ElementType.FLOAT16, dims, bytes);
    }
}
