// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Locale;

/// Puts single values of one type into columns of another. What does not fit is an
/// [IllegalArgumentException] that says what came and what was expected. Threads: one.
final class Cells {
    private static final int SHOWN = 40;
    /// The first number that is no long.
    private static final double MOST_LONG = 0x1p63;

    private final Decimals decimals = new Decimals();

    /// Says that nothing came.
    static void missing(ColumnValues to, int row, boolean nullable) {
        if (!nullable) {
            throw wrong("", to.type());
        }
        to.setNull(row);
    }

    /// Puts what characters say.
    void text(ColumnValues to, int row, char[] chars, int start, int end) {
        if (to.type() == ColumnType.STRING) {
            to.setString(row, new String(chars, start, end - start));
            return;
        }
        int from = start;
        int limit = end;
        while (from < limit && chars[from] <= ' ') {
            from++;
        }
        while (from < limit && chars[limit - 1] <= ' ') {
            limit--;
        }
        switch (to.type()) {
            case FLOAT32, FLOAT64 -> real(to, row, chars, from, limit);
            case INT32, INT64 -> integer(to, row, chars, from, limit);
            case BOOL -> to.setBoolean(row, truth(new String(chars, from, limit - from)));
            case TIMESTAMP -> to.setLong(row, time(new String(chars, from, limit - from)));
            case STRING -> throw new IllegalStateException();
        }
    }

    private void real(ColumnValues to, int row, char[] chars, int from, int end) {
        boolean number = decimals.scan(chars, from, end);
        if (to.type() == ColumnType.FLOAT32) {
            float value = number ? decimals.toFloat() : (float) special(chars, from, end, to.type());
            if (number && Float.isInfinite(value)) {
                throw wrong(new String(chars, from, end - from), "a number that FLOAT32 can hold");
            }
            to.setFloat(row, value);
        } else {
            double value = number ? decimals.toDouble() : special(chars, from, end, to.type());
            if (number && Double.isInfinite(value)) {
                throw wrong(new String(chars, from, end - from), "a number that FLOAT64 can hold");
            }
            to.setDouble(row, value);
        }
    }

    private static double special(char[] chars, int from, int end, ColumnType type) {
        String text = new String(chars, from, end - from);
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "nan", "-nan", "na", "null" -> Double.NaN;
            case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
            case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
            case "true" -> 1;
            case "false" -> 0;
            default -> throw wrong(text, type);
        };
    }

    private void integer(ColumnValues to, int row, char[] chars, int from, int end) {
        if (decimals.scan(chars, from, end) && decimals.isLong()) {
            integer(to, row, decimals.toLong());
            return;
        }
        String text = new String(chars, from, end - from);
        switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> integer(to, row, 1);
            case "false" -> integer(to, row, 0);
            default -> throw wrong(text, to.type());
        }
    }

    private static boolean truth(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw wrong(text, ColumnType.BOOL);
        };
    }

    private static long time(String text) {
        try {
            return TextValues.micros(text);
        } catch (DateTimeException | ArithmeticException e) {
            throw new IllegalArgumentException(wrong(text, ColumnType.TIMESTAMP).getMessage(), e);
        }
    }

    /// Puts an integer.
    static void integer(ColumnValues to, int row, long value) {
        switch (to.type()) {
            case FLOAT32 -> to.setFloat(row, (float) value);
            case FLOAT64 -> to.setDouble(row, (double) value);
            case INT32 -> {
                if (value != (int) value) {
                    throw wrong(Long.toString(value), to.type());
                }
                to.setInt(row, (int) value);
            }
            case INT64 -> to.setLong(row, value);
            case BOOL -> {
                if (value != 0 && value != 1) {
                    throw wrong(Long.toString(value), to.type());
                }
                to.setBoolean(row, value == 1);
            }
            case STRING -> to.setString(row, Long.toString(value));
            case TIMESTAMP -> throw wrong(Long.toString(value), to.type());
        }
    }

    /// Puts a number.
    static void real(ColumnValues to, int row, double value) {
        switch (to.type()) {
            case FLOAT32 -> {
                if (Double.isFinite(value) && Float.isInfinite((float) value)) {
                    throw wrong(Double.toString(value), "a number that FLOAT32 can hold");
                }
                to.setFloat(row, (float) value);
            }
            case FLOAT64 -> to.setDouble(row, value);
            case INT32, INT64, BOOL -> {
                if (value != Math.rint(value) || Math.abs(value) >= MOST_LONG) {
                    throw wrong(Double.toString(value), to.type());
                }
                integer(to, row, (long) value);
            }
            case STRING -> to.setString(row, Double.toString(value));
            case TIMESTAMP -> throw wrong(Double.toString(value), to.type());
        }
    }

    /// Puts a number; the bits of one that is none stay.
    static void real(ColumnValues to, int row, float value) {
        if (to.type() == ColumnType.FLOAT32) {
            to.setFloat(row, value);
        } else if (to.type() == ColumnType.STRING) {
            to.setString(row, Float.toString(value));
        } else {
            real(to, row, (double) value);
        }
    }

    /// Puts true or false.
    static void truth(ColumnValues to, int row, boolean value) {
        if (to.type() == ColumnType.STRING) {
            to.setString(row, Boolean.toString(value));
        } else {
            integer(to, row, value ? 1 : 0);
        }
    }

    /// Puts a point in time, in microseconds.
    static void micros(ColumnValues to, int row, long value) {
        if (to.type() == ColumnType.TIMESTAMP) {
            to.setLong(row, value);
        } else if (to.type() == ColumnType.STRING) {
            to.setString(row, TextValues.time(value));
        } else {
            throw wrong(TextValues.time(value), to.type());
        }
    }

    /// Puts a point in time.
    static void time(ColumnValues to, int row, Instant value) {
        if (to.type() == ColumnType.STRING) {
            to.setString(row, value.toString());
        } else if (to.type() == ColumnType.TIMESTAMP) {
            to.setLong(row, TextValues.micros(value));
        } else {
            throw wrong(value.toString(), to.type());
        }
    }

    static IllegalArgumentException wrong(String came, ColumnType expected) {
        return wrong(came, expected.expected());
    }

    static IllegalArgumentException wrong(String came, String expected) {
        String shown = came.length() <= SHOWN ? came : came.substring(0, SHOWN) + "...";
        return new IllegalArgumentException(
                (came.isEmpty() ? "nothing came" : "'" + shown + "' came") + ", expected " + expected);
    }
}
