// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;

/// Puts single values into tensors. What does not fit is an [IllegalArgumentException] that says what came and what was
/// expected. Threads: stateless.
final class Elements {
    /// More digits than any number of a model needs, and few enough to be read in no time.
    private static final int MAX_DIGITS = 400;

    private Elements() {}

    /// Sets an element to what a text says. Nothing is NaN where there is one.
    static void set(Tensor tensor, long index, String text) {
        DataType type = tensor.datatype();
        if (type == DataType.BYTES) {
            tensor.setString(Math.toIntExact(index), text);
        } else if (type.isFloating()) {
            setReal(tensor, index, text.strip());
        } else {
            tensor.setLong(index, integer(text.strip(), type));
        }
    }

    /// A label: a number, true or false.
    static double label(String text) {
        String clean = text.strip();
        double value = switch (clean.toLowerCase(Locale.ROOT)) {
            case "true" -> 1;
            case "false" -> 0;
            default -> isNumber(clean) ? Double.parseDouble(clean) : Double.NaN;
        };
        if (!Double.isFinite(value)) {
            throw wrong(clean, "a number");
        }
        return value;
    }

    /// Sets an element to a number.
    static void set(Tensor tensor, long index, double value) {
        DataType type = tensor.datatype();
        if (type.isFloating()) {
            if (type == DataType.FP32) {
                tensor.setFloat(index, (float) value);
            } else {
                tensor.setReal(index, value);
            }
            if (Double.isFinite(value) && Double.isInfinite(tensor.getReal(index))) {
                throw wrong(Double.toString(value), "a number that " + type + " can hold");
            }
        } else if (type == DataType.BYTES) {
            throw wrong(Double.toString(value), "a text");
        } else {
            tensor.setLong(index, integer(Double.toString(value), type));
        }
    }

    /// Sets an element to an integer.
    static void set(Tensor tensor, long index, long value) {
        DataType type = tensor.datatype();
        if (type == DataType.BYTES) {
            throw wrong(Long.toString(value), "a text");
        }
        if (type.isFloating()) {
            set(tensor, index, (double) value);
        } else {
            tensor.setLong(index, integer(Long.toString(value), type));
        }
    }

    private static void setReal(Tensor tensor, long index, String text) {
        if (!isNumber(text)) {
            tensor.setReal(index, special(text, tensor.datatype()));
        } else if (tensor.datatype() == DataType.FP32) {
            float value = Float.parseFloat(text); // from the digits, not from a double
            if (Float.isInfinite(value)) {
                throw wrong(text, "a number that FP32 can hold");
            }
            tensor.setFloat(index, value);
        } else {
            double value = Double.parseDouble(text);
            if (Double.isInfinite(value)) {
                throw wrong(text, "a number that " + tensor.datatype() + " can hold");
            }
            set(tensor, index, value);
        }
    }

    private static double special(String text, DataType type) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "", "nan", "-nan", "na", "null" -> Double.NaN;
            case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
            case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
            case "true" -> 1;
            case "false" -> 0;
            default -> throw wrong(text, "a number (" + type + ")");
        };
    }

    private static long integer(String text, DataType type) {
        BigInteger value = switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> BigInteger.ONE;
            case "false" -> BigInteger.ZERO;
            default -> whole(text, type);
        };
        if (value.compareTo(least(type)) < 0 || value.compareTo(most(type)) > 0) {
            throw wrong(text, "an integer from " + least(type) + " to " + most(type) + " (" + type + ")");
        }
        return value.longValue();
    }

    private static BigInteger whole(String text, DataType type) {
        try {
            if (isNumber(text)) {
                BigDecimal value = new BigDecimal(text);
                // An exponent of billions is a number, but not one to write down.
                if (value.precision() - (long) value.scale() <= MAX_DIGITS && value.scale() <= MAX_DIGITS) {
                    return value.toBigIntegerExact();
                }
            }
        } catch (ArithmeticException _) {
            // it has a fraction
        }
        throw wrong(text, type == DataType.BOOL ? "true or false" : "an integer (" + type + ")");
    }

    private static BigInteger least(DataType type) {
        return switch (type) {
            case INT8, INT16, INT32, INT64 ->
                BigInteger.ONE.shiftLeft(8 * type.byteSize() - 1).negate();
            default -> BigInteger.ZERO;
        };
    }

    private static BigInteger most(DataType type) {
        int bits = switch (type) {
            case BOOL -> 1;
            case INT8, INT16, INT32, INT64 -> 8 * type.byteSize() - 1;
            default -> 8 * type.byteSize();
        };
        return BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE);
    }

    /// Whether it is a decimal number; Java would read more: hexadecimal ones, and letters behind.
    static boolean isNumber(String text) {
        int at = skipSign(text, 0);
        int digits = digits(text, at);
        at += digits;
        if (at < text.length() && text.charAt(at) == '.') {
            int more = digits(text, at + 1);
            at += 1 + more;
            digits += more;
        }
        if (digits == 0 || digits > MAX_DIGITS) {
            return false;
        }
        if (at < text.length() && (text.charAt(at) | 0x20) == 'e') {
            int from = skipSign(text, at + 1);
            int more = digits(text, from);
            at = from + more;
            return more > 0 && more <= 6 && at == text.length();
        }
        return at == text.length();
    }

    private static int skipSign(String text, int at) {
        return at < text.length() && (text.charAt(at) == '-' || text.charAt(at) == '+') ? at + 1 : at;
    }

    private static int digits(String text, int from) {
        int at = from;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at - from;
    }

    static IllegalArgumentException wrong(String came, String expected) {
        String shown = came.length() <= 40 ? came : came.substring(0, 40) + "...";
        return new IllegalArgumentException(
                (came.isEmpty() ? "nothing came" : "'" + shown + "' came") + ", expected " + expected);
    }
}
