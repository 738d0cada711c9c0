// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;

/// Values of messages as values of a view. What does not fit is a [MessageException] that names the
/// column, what came and what was expected. Stateless.
final class Values {
    private static final int MAX_SHOWN = 40;

    private Values() {}

    /// The value of a field: Double, Float, Long, Integer, Boolean or String, as its type is put; null
    /// for null.
    static Object of(Field field, String column, Object value) {
        if (value == null) {
            return null;
        }
        return switch (field.type()) {
            case FLOAT64 -> real(column, value);
            case FLOAT32 -> single(column, value);
            case INT64 -> integer(column, value, "an integer");
            case INT32 -> narrow(column, value);
            case BOOL -> {
                if (!(value instanceof Boolean)) {
                    throw wrong(column, value, "true or false");
                }
                yield value;
            }
            case TIMESTAMP -> time(column, value, EpochUnit.MICROS);
            case STRING -> text(field, column, value);
        };
    }

    /// The key of a row: Long or String.
    static Object key(Field key, String column, Object value) {
        if (value == null) {
            throw new MessageException(
                    column + ": nothing came, expected the key '" + key.name() + "' of type " + key.typeText());
        }
        return key.type() == FieldType.STRING
                ? text(key, column, value)
                : (Object) integer(column, value, "an integer, the key");
    }

    private static String text(Field field, String column, Object value) {
        if (!(value instanceof String text)) {
            throw wrong(column, value, "a string");
        }
        // No text has fewer bytes than characters.
        int bytes = text.length() > field.maxBytes() ? text.length() : text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > field.maxBytes()) {
            throw new MessageException(column + " is " + shown(value) + " with "
                    + text.getBytes(StandardCharsets.UTF_8).length + " bytes, expected at most " + field.maxBytes());
        }
        return text;
    }

    private static double real(String column, Object value) {
        return switch (value) {
            case Double number -> number;
            case Long number -> number.doubleValue();
            default -> throw wrong(column, value, "a number");
        };
    }

    private static float single(String column, Object value) {
        double number = real(column, value);
        if (Double.isFinite(number) && Float.isInfinite((float) number)) {
            throw wrong(column, value, "what a float of 32 bits holds");
        }
        return (float) number;
    }

    private static long integer(String column, Object value, String expected) {
        if (value instanceof Long number) {
            return number;
        }
        throw wrong(column, value, expected);
    }

    private static int narrow(String column, Object value) {
        long number = integer(column, value, "an integer");
        if (number != (int) number) {
            throw wrong(column, value, "an integer of 32 bits");
        }
        return (int) number;
    }

    /// A time in microseconds since 1970; one without a zone is UTC.
    ///
    /// @param unit what a number counts
    static long time(String column, Object value, EpochUnit unit) {
        try {
            switch (value) {
                case Moment moment -> {
                    return moment.micros();
                }
                case Long number -> {
                    return unit.toMicros(number);
                }
                case Double number -> {
                    return unit.toMicros(number);
                }
                case String text -> {
                    return ChronoUnit.MICROS.between(
                            Instant.EPOCH, instant(text.strip().replace(' ', 'T')));
                }
                case null, default -> {
                    // Told below.
                }
            }
        } catch (DateTimeException | ArithmeticException _) {
            // Told below.
        }
        throw wrong(column, value, "a time like 2026-01-31T12:00:00Z, or " + unit.word() + " since 1970");
    }

    /// So many of a unit in microseconds.
    static long micros(EpochUnit unit, long count) {
        try {
            return unit.toMicros(count);
        } catch (ArithmeticException _) {
            throw new MessageException(
                    count + " " + unit.word() + " since 1970 came, expected what a long of" + " microseconds holds");
        }
    }

    private static Instant instant(String text) {
        int clock = text.indexOf('T');
        boolean zoned = clock > 0 && text.substring(clock).matches(".*([Zz]|[+-]\\d\\d(:?\\d\\d)?)");
        return zoned
                ? OffsetDateTime.parse(text).toInstant()
                : LocalDateTime.parse(text).toInstant(ZoneOffset.UTC);
    }

    static MessageException wrong(String column, Object value, String expected) {
        return new MessageException(column + " is " + shown(value) + ", expected " + expected);
    }

    private static String shortened(String text) {
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
    }

    /// A value for a message, which is one line in the log.
    private static String shown(Object value) {
        return switch (value) {
            case String text -> "'" + shortened(text).replaceAll("\\p{Cntrl}", "?") + "'";
            case Moment moment -> "the time " + Instant.EPOCH.plus(moment.micros(), ChronoUnit.MICROS);
            case null, default -> String.valueOf(value);
        };
    }
}
