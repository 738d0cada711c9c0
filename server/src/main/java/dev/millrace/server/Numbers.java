// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;

/// Reads the characters of JSON numbers without garbage: integers exactly, and floating-point numbers of ordinary
/// length correctly rounded; the others are passed on.
///
/// A number of up to 2^53 and a power of ten of up to 10^22 are exact doubles, so that one multiplication or division
/// gives the nearest double. Rounding that to a float gives the nearest float, unless it lies exactly between two: then
/// the first rounding may have moved it there, and the number is passed on.
///
/// Threads: one; [#value()] and [#integer()] belong to the last success.
final class Numbers {
    private static final double[] POWERS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };
    private static final int MAX_DIGITS = 18;
    private static final long MAX_EXACT = 1L << 53;
    /// The bits of a double's significand that a float has no room for, and what they are half way between two floats.
    private static final long BELOW_FLOAT = (1L << 29) - 1;

    private static final long HALF_WAY = 1L << 28;

    /// The largest 64 unsigned bits that can take another digit, but for the digit's own size.
    private static final long LAST_TEN = Long.divideUnsigned(-1, 10);

    private double value;
    private long integer;

    /// The floating-point number that was read.
    @Hot
    double value() {
        return value;
    }

    /// The integer that was read; for UINT64 its 64 bits.
    @Hot
    long integer() {
        return integer;
    }

    /// Reads an integer; false if `type` has no such value.
    @Hot
    boolean readInteger(char[] text, int offset, int length, DataType type) {
        boolean negative = text[offset] == '-';
        long magnitude = 0;
        for (int at = negative ? offset + 1 : offset; at < offset + length; at++) {
            int digit = text[at] - '0';
            long next = magnitude * 10 + digit;
            if (Long.compareUnsigned(magnitude, LAST_TEN) > 0 || Long.compareUnsigned(next, digit) < 0) {
                return false;
            }
            magnitude = next;
        }
        integer = negative ? -magnitude : magnitude;
        return Long.compareUnsigned(magnitude, negative ? lowest(type) : highest(type)) <= 0;
    }

    /// The magnitude of the type's least value.
    @Hot
    private static long lowest(DataType type) {
        return switch (type) {
            case INT8, INT16, INT32, INT64 -> 1L << (8 * type.byteSize() - 1);
            default -> 0;
        };
    }

    /// The type's greatest value, as unsigned bits.
    @Hot
    private static long highest(DataType type) {
        int bits = 8 * type.byteSize();
        return switch (type) {
            case INT8, INT16, INT32, INT64 -> (1L << (bits - 1)) - 1;
            default -> -1L >>> (Long.SIZE - bits);
        };
    }

    /// Reads a number that shall become a float; false if another way has to be gone.
    @Hot
    boolean readFloat(char[] text, int offset, int length) {
        if (!readDouble(text, offset, length)) {
            return false;
        }
        return (Double.doubleToRawLongBits(value) & BELOW_FLOAT) != HALF_WAY;
    }

    /// Reads a number; false if another way has to be gone.
    @Hot
    boolean readDouble(char[] text, int offset, int length) {
        int end = offset + length;
        int at = offset;
        boolean negative = text[at] == '-';
        if (negative) {
            at++;
        }
        long significand = 0;
        int digits = 0;
        int fraction = -1;
        for (; at < end; at++) {
            char character = text[at];
            if (character >= '0' && character <= '9') {
                significand = significand * 10 + (character - '0');
                // Leading zeros say nothing and must not use up the digits.
                digits += significand == 0 ? 0 : 1;
                if (digits > MAX_DIGITS) {
                    return false;
                }
                fraction += fraction >= 0 ? 1 : 0;
            } else if (character == '.') {
                fraction = 0;
            } else {
                break;
            }
        }
        if (at < end && (text[at] | 0x20) != 'e') {
            return false;
        }
        int exponent = at < end ? exponent(text, at + 1, end) : 0;
        return scale(negative, significand, exponent - Math.max(0, fraction));
    }

    @Hot
    private static int exponent(char[] text, int offset, int end) {
        int at = offset;
        boolean negative = text[at] == '-';
        if (negative || text[at] == '+') {
            at++;
        }
        int exponent = 0;
        for (; at < end; at++) {
            // Far beyond what is taken here, and no overflow.
            exponent = Math.min(100_000, exponent * 10 + (text[at] - '0'));
        }
        return negative ? -exponent : exponent;
    }

    @Hot
    private boolean scale(boolean negative, long significand, int power) {
        if (significand > MAX_EXACT || power >= POWERS.length || power <= -POWERS.length) {
            return false;
        }
        double magnitude = power < 0 ? (double) significand / POWERS[-power] : (double) significand * POWERS[power];
        value = negative ? -magnitude : magnitude;
        return true;
    }
}
