// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import ch.randelshofer.fastdoubleparser.JavaDoubleParser;
import ch.randelshofer.fastdoubleparser.JavaFloatParser;
import dev.millrace.memory.Hot;

/// Reads the characters of numbers whose grammar was checked: integers exactly, others rounded to the nearest.
///
/// A number of up to 2^53 and a power of ten of up to 10^22 are exact doubles, so that one multiplication or division
/// gives the nearest double. Rounding that to a float gives the nearest float, unless it lies exactly between two: then
/// the first rounding may have moved it there. With up to 18 digits the double may be off by two units in its last
/// place, and what lies that near to the middle of two floats is left to a slower way, as everything else is.
///
/// Threads: one; [#isInRange()] and [#position()] belong to what was read last.
final class NumberDecoder {
    /// As many digits always fit a long.
    static final int MAX_DIGITS = 18;

    private static final double[] POWERS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };
    private static final long MAX_EXACT = 1L << 53;
    /// The bits of a double's significand that a float has no room for, and what they are half way between two floats.
    private static final long BELOW_FLOAT = (1L << 29) - 1;

    private static final long HALF_WAY = 1L << 28;
    /// Below this no float becomes infinite.
    private static final double CERTAINLY_FLOAT = 1e38;
    /// Units in the last place of a double that two roundings can be off.
    private static final long DOUBT = 2;

    /// The largest 64 unsigned bits that can take another digit, but for the digit's own size.
    private static final long LAST_TEN = Long.divideUnsigned(-1, 10);

    private boolean inRange;
    private int position;

    private long significand;
    private int power;

    @Hot
    boolean isInRange() {
        return inRange;
    }

    /// Where reading ended, as [PlainFloats] left it.
    @Hot
    int position() {
        return position;
    }

    @Hot
    void position(int after) {
        position = after;
    }

    /// The first position from `at` on that has no digit.
    @Hot
    static int skipDigits(byte[] text, int at) {
        int here = at;
        while (text[here] >= '0' && text[here] <= '9') {
            here++;
        }
        return here;
    }

    /// @param least not above 0
    /// @param greatest not below 0
    @Hot
    long integer(byte[] text, int from, int to, long least, long greatest) {
        boolean negative = text[from] == '-';
        long magnitude = magnitude(text, negative ? from + 1 : from, to);
        inRange &= Long.compareUnsigned(magnitude, negative ? -least : greatest) <= 0;
        return negative ? -magnitude : magnitude;
    }

    @Hot
    long unsigned(byte[] text, int from, int to) {
        boolean negative = text[from] == '-';
        long magnitude = magnitude(text, negative ? from + 1 : from, to);
        inRange &= !negative || magnitude == 0;
        return magnitude;
    }

    @Hot
    private long magnitude(byte[] text, int from, int to) {
        long magnitude = 0;
        inRange = true;
        for (int at = from; at < to; at++) {
            int digit = text[at] - '0';
            long next = magnitude * 10 + digit;
            inRange &= Long.compareUnsigned(magnitude, LAST_TEN) <= 0 && Long.compareUnsigned(next, digit) >= 0;
            magnitude = next;
        }
        return magnitude;
    }

    @Hot
    double real(byte[] text, int from, int to) {
        inRange = true;
        if (split(text, from, to) && significand <= MAX_EXACT) {
            double magnitude = scaled();
            return text[from] == '-' ? -magnitude : magnitude;
        }
        return slowReal(text, from, to);
    }

    private double slowReal(byte[] text, int from, int to) {
        double value = JavaDoubleParser.parseDouble(text, from, to - from);
        inRange = !Double.isInfinite(value) || !isDigit(text[to - 1]);
        return value;
    }

    @Hot
    float real32(byte[] text, int from, int to) {
        inRange = true;
        if (split(text, from, to)) {
            double magnitude = scaled();
            if (magnitude < CERTAINLY_FLOAT && isFloatCertain(magnitude)) {
                return (float) (text[from] == '-' ? -magnitude : magnitude);
            }
        }
        return slowReal32(text, from, to);
    }

    private float slowReal32(byte[] text, int from, int to) {
        float value = JavaFloatParser.parseFloat(text, from, to - from);
        // Words end with a letter: those were meant to be infinite.
        inRange = !Float.isInfinite(value) || !isDigit(text[to - 1]);
        return value;
    }

    private static boolean isDigit(byte character) {
        return character >= '0' && character <= '9';
    }

    @Hot
    private double scaled() {
        return power < 0 ? significand / POWERS[-power] : significand * POWERS[power];
    }

    /// Whether rounding a double that may be off by [#DOUBT] gives the float nearest to the number.
    @Hot
    static boolean isFloatCertain(double magnitude) {
        long fromMiddle = (Double.doubleToRawLongBits(magnitude) & BELOW_FLOAT) - HALF_WAY;
        return Math.abs(fromMiddle) > DOUBT;
    }

    /// `digits` divided by ten to the `places`.
    ///
    /// @param places up to [#MAX_DIGITS]
    @Hot
    static double fraction(long digits, int places) {
        return digits / POWERS[places];
    }

    /// Splits a number into significand and power of ten; false if they are too large to be scaled by one operation, or
    /// it is a word.
    @Hot
    private boolean split(byte[] text, int from, int to) {
        int at = text[from] == '-' ? from + 1 : from;
        int digits = 0;
        int fraction = -1;
        significand = 0;
        for (; at < to; at++) {
            byte character = text[at];
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
        if (at < to && (text[at] | 0x20) != 'e') {
            return false;
        }
        power = (at < to ? exponent(text, at + 1, to) : 0) - Math.max(0, fraction);
        return power < POWERS.length && power > -POWERS.length;
    }

    @Hot
    private static int exponent(byte[] text, int from, int to) {
        boolean negative = text[from] == '-';
        int exponent = 0;
        for (int at = negative || text[from] == '+' ? from + 1 : from; at < to; at++) {
            // Far beyond what is taken here, and no overflow.
            exponent = Math.min(100_000, exponent * 10 + (text[at] - '0'));
        }
        return negative ? -exponent : exponent;
    }
}
