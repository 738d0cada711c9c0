// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.time.Instant;
import java.time.OffsetDateTime;

/// Values as text. Threads: stateless.
final class TextValues {
    private static final long MICROS = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;
    /// From this on floats and doubles are written with an exponent.
    private static final int LEAST_EXPONENT = 10_000_000;

    private TextValues() {}

    /// Adds a value that is neither missing nor a text or a time.
    static void put(Bytes to, ColumnValues values, int row) {
        switch (values.type()) {
            case FLOAT32 -> putFloat(to, values.getFloat(row));
            case FLOAT64 -> putDouble(to, values.getDouble(row));
            case INT32 -> to.putDecimal(values.getInt(row));
            case INT64 -> to.putDecimal(values.getLong(row));
            case BOOL -> to.putAscii(values.getBoolean(row) ? "true" : "false");
            case STRING, TIMESTAMP -> throw new IllegalArgumentException("written otherwise: " + values.type());
        }
    }

    /// Adds a number as [Float#toString] has it.
    private static void putFloat(Bytes to, float value) {
        int whole = (int) value;
        if (isPlain(whole) && Float.floatToRawIntBits(whole) == Float.floatToRawIntBits(value)) {
            putWhole(to, whole);
            return;
        }
        long digits = FloatDigits.of(Math.abs(value));
        if (digits == FloatDigits.OTHER) {
            to.putAscii(Float.toString(value));
            return;
        }
        if (value < 0) {
            to.put('-');
        }
        to.putDecimal(digits >>> FloatDigits.PLACES_BITS, (int) digits & FloatDigits.PLACES);
    }

    /// Adds a number as [Double#toString] has it.
    private static void putDouble(Bytes to, double value) {
        int whole = (int) value;
        if (isPlain(whole) && Double.doubleToRawLongBits(whole) == Double.doubleToRawLongBits(value)) {
            putWhole(to, whole);
        } else {
            to.putAscii(Double.toString(value));
        }
    }

    /// Whether a whole number is written without an exponent.
    private static boolean isPlain(int whole) {
        return whole > -LEAST_EXPONENT && whole < LEAST_EXPONENT;
    }

    /// Indices, counts and truth values are most of what is written, and need no search for digits.
    private static void putWhole(Bytes to, int whole) {
        to.putDecimal(whole);
        to.putAscii(".0");
    }

    /// A time as text.
    static String time(long micros) {
        return instant(micros).toString();
    }

    /// Adds a time.
    static void putTime(Bytes to, long micros) {
        to.putAscii(time(micros));
    }

    private static Instant instant(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, MICROS), Math.floorMod(micros, MICROS) * NANOS_PER_MICRO);
    }

    /// The microseconds of a time; what is shorter than one is cut off.
    ///
    /// @throws ArithmeticException if they are too many
    static long micros(Instant time) {
        long seconds = time.getEpochSecond();
        long nanos = time.getNano();
        // Of the least long the seconds alone are out of range.
        return seconds < 0 && nanos > 0
                ? Math.addExact(Math.multiplyExact(seconds + 1, MICROS), nanos / NANOS_PER_MICRO - MICROS)
                : Math.addExact(Math.multiplyExact(seconds, MICROS), nanos / NANOS_PER_MICRO);
    }

    /// The microseconds of a time as text, with the time zone's offset.
    ///
    /// @throws java.time.DateTimeException if it is none, or ArithmeticException if it is out of range
    static long micros(String text) {
        long plain = PlainTime.micros(text);
        if (plain != PlainTime.OTHER) {
            return plain;
        }
        // Instant knows more years, the other more ways to write them.
        return micros(
                text.endsWith("Z")
                        ? Instant.parse(text)
                        : OffsetDateTime.parse(text).toInstant());
    }
}
