// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.math.BigInteger;

/// Elements of any numeric type as numbers. Stateless.
final class Values {
    private static final double TWO_TO_64 = 0x1p64;

    private Values() {}

    static double number(Tensor tensor, long index) {
        if (tensor.datatype().isFloating()) {
            return tensor.getReal(index);
        }
        long value = tensor.getLong(index);
        return isLarge(tensor, value) ? value + TWO_TO_64 : value;
    }

    /// How far an integer is from another, which is 0 for the same ones only.
    static double distance(Tensor before, Tensor after, long index) {
        long one = before.getLong(index);
        long other = after.getLong(index);
        boolean oneLarge = isLarge(before, one);
        if (oneLarge == isLarge(after, other)) {
            // Less than 2^64, whatever the signs were.
            long distance = one < other ? other - one : one - other;
            return distance < 0 ? distance + TWO_TO_64 : distance;
        }
        BigInteger large = unsigned(oneLarge ? one : other);
        return large.subtract(BigInteger.valueOf(oneLarge ? other : one)).doubleValue();
    }

    /// Whether it is 2^63 or more, which a long has as a number below zero.
    private static boolean isLarge(Tensor tensor, long value) {
        return value < 0 && tensor.datatype() == DataType.UINT64;
    }

    private static BigInteger unsigned(long value) {
        return BigInteger.valueOf(value).add(BigInteger.ONE.shiftLeft(Long.SIZE));
    }
}
