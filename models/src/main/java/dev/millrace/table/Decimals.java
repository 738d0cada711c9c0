// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.math.BigDecimal;

/// Reads decimal numbers from characters, to the nearest value and mostly without garbage.
///
/// What has few enough digits is an integer and a power of ten that a double holds both, so that
/// one operation rounds once. What has a few more is a quotient of twice as many bits, and certain
/// unless it lies next to the middle between two doubles. All other numbers are left to the JDK.
/// Threads: one.
final class Decimals {
    private static final double[] TENS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };
    private static final long EXACT = 1L << 53;
    /// The most digits that fit into a long whatever they are.
    private static final int LONG_DIGITS = 18;
    /// More than any number needs, and few enough to be read in no time.
    private static final int MAX_DIGITS = 400;
    private static final int MAX_EXPONENT = 1_000_000;
    /// By which part of itself the second half of a quotient may be wrong: three roundings.
    private static final double UNCERTAIN = 0x1p-50;
    /// The bits of a double that a float does not have, and the one that is half of a float's last.
    private static final long BEYOND_FLOAT = (1L << 29) - 1;
    private static final long HALF = 1L << 28;

    private char[] text;
    private int from;
    private int to;
    private long digits;
    private int exponent;
    private boolean negative;
    /// Whether `digits` has all of them.
    private boolean whole;

    /// Looks at characters; whether they are a decimal number. Java would read more: hexadecimal
    /// ones, and letters behind.
    boolean scan(char[] chars, int start, int end) {
        text = chars;
        from = start;
        to = end;
        int at = start;
        negative = at < end && chars[at] == '-';
        at += at < end && (chars[at] == '-' || chars[at] == '+') ? 1 : 0;
        digits = 0;
        exponent = 0;
        int seen = 0;
        int significant = 0;
        boolean point = false;
        for (; at < end; at++) {
            int digit = chars[at] - '0';
            if (digit >= 0 && digit <= 9) {
                seen++;
                exponent -= point ? 1 : 0;
                significant += significant > 0 || digit > 0 ? 1 : 0;
                digits = significant <= LONG_DIGITS ? 10 * digits + digit : digits;
            } else if (chars[at] == '.' && !point) {
                point = true;
            } else {
                break;
            }
        }
        whole = significant <= LONG_DIGITS;
        if (seen == 0 || seen > MAX_DIGITS) {
            return false;
        }
        return at == end || ((chars[at] | 0x20) == 'e' && scanExponent(at + 1));
    }

    private boolean scanExponent(int start) {
        int at = start;
        boolean minus = at < to && text[at] == '-';
        at += at < to && (text[at] == '-' || text[at] == '+') ? 1 : 0;
        int value = 0;
        int first = at;
        for (; at < to && text[at] >= '0' && text[at] <= '9' && value < MAX_EXPONENT; at++) {
            value = 10 * value + text[at] - '0';
        }
        exponent += minus ? -value : value;
        return at == to && at > first && value < MAX_EXPONENT;
    }

    /// The nearest double; infinite if there is none.
    double toDouble() {
        double value = size();
        return Double.isNaN(value) ? Double.parseDouble(string()) : negative ? -value : value;
    }

    /// The nearest double without the sign; NaN if that is not certain.
    private double size() {
        if (whole && digits == 0) {
            return 0;
        }
        if (!whole || exponent < -22 || exponent > 22) {
            return Double.NaN;
        }
        if (digits <= EXACT) {
            return exponent < 0 ? digits / TENS[-exponent] : digits * TENS[exponent];
        }
        return exponent < 0 ? quotient(TENS[-exponent]) : Double.NaN;
    }

    private double quotient(double ten) {
        double high = digits;
        double first = high / ten;
        double rest = Math.fma(-first, ten, high) + (digits - (long) high);
        double second = rest / ten;
        double error = Math.abs(second) * UNCERTAIN;
        double least = first + (second - error);
        return least == first + (second + error) ? least : Double.NaN;
    }

    /// The nearest float; infinite if there is none.
    float toFloat() {
        double value = toDouble();
        double size = Math.abs(value);
        // Only what a double rounds to the middle between two floats may be rounded the wrong way by the second step.
        boolean middle = (Double.doubleToRawLongBits(value) & BEYOND_FLOAT) == HALF;
        if (value == 0 && digits == 0 && whole) {
            return (float) value;
        }
        return middle || size < Float.MIN_NORMAL || size > Float.MAX_VALUE ? Float.parseFloat(string()) : (float) value;
    }

    /// Whether it is an integer that a long holds; `toLong` has it then.
    boolean isLong() {
        if (exponent == 0 && whole) {
            digits = negative ? -digits : digits;
            return true;
        }
        try {
            BigDecimal value = new BigDecimal(text, from, to - from);
            // An exponent of thousands is a number, but not one to write down.
            if (value.precision() - (long) value.scale() > MAX_DIGITS || value.scale() > MAX_DIGITS) {
                return false;
            }
            digits = value.longValueExact();
            return true;
        } catch (ArithmeticException _) {
            return false;
        }
    }

    /// The integer that [#isLong()] found.
    long toLong() {
        return digits;
    }

    private String string() {
        return new String(text, from, to - from);
    }
}
