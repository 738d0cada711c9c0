// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.store.Field;
import dev.millrace.store.Row;
import dev.millrace.store.WriteBatch;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;

/// Values of features from text and to text. What does not fit is an [IllegalArgumentException]
/// that says what came and what was expected. Stateless.
final class FieldText {
    private static final long MICROS = 1_000_000;

    private FieldText() {}

    /// Puts a value into the row that was begun last.
    static void put(WriteBatch batch, int index, Field field, String text) {
        try {
            switch (field.type()) {
                case FLOAT64 -> batch.putDouble(index, Double.parseDouble(decimal(text)));
                case FLOAT32 -> batch.putFloat(index, Float.parseFloat(decimal(text)));
                case INT64 -> batch.putLong(index, Long.parseLong(text.strip()));
                case INT32 -> batch.putInt(index, Integer.parseInt(text.strip()));
                case BOOL -> batch.putBoolean(index, bool(text.strip()));
                case TIMESTAMP -> batch.putLong(index, micros(text));
                case STRING -> batch.putString(index, text);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' came, expected " + field.typeText(), e);
        }
    }

    /// Java reads more as numbers: hexadecimal ones, and letters behind.
    private static String decimal(String text) {
        String plain = text.strip();
        char last = plain.isEmpty() ? ' ' : plain.charAt(plain.length() - 1);
        boolean special = plain.endsWith("NaN") || plain.endsWith("Infinity");
        boolean ends = special || last == '.' || (last >= '0' && last <= '9');
        if (!ends || plain.indexOf('x') >= 0) {
            throw new NumberFormatException(plain);
        }
        return plain;
    }

    private static boolean bool(String text) {
        return switch (text) {
            case "true", "True", "1" -> true;
            case "false", "False", "0" -> false;
            default -> throw new NumberFormatException(text);
        };
    }

    /// A point in time as microseconds since 1970: just these, or ISO 8601 with a zone.
    static long micros(String text) {
        String plain = text.strip();
        try {
            if (!plain.isEmpty() && plain.chars().skip(1).allMatch(c -> c >= '0' && c <= '9')) {
                return Long.parseLong(plain);
            }
            return ChronoUnit.MICROS.between(
                    Instant.EPOCH, OffsetDateTime.parse(plain).toInstant());
        } catch (DateTimeException | NumberFormatException | ArithmeticException e) {
            throw new IllegalArgumentException(
                    "'" + plain + "' came, expected microseconds since 1970, or a time like 2026-01-31T12:00:00Z", e);
        }
    }

    /// The time of so many microseconds since 1970.
    static String time(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, MICROS), 1_000 * Math.floorMod(micros, MICROS))
                .toString();
    }

    /// A row's field, which is not null.
    static String of(Row row, int index) {
        return switch (row.schema().type(index)) {
            case FLOAT64 -> Double.toString(row.getDouble(index));
            case FLOAT32 -> Float.toString(row.getFloat(index));
            case INT64 -> Long.toString(row.getLong(index));
            case INT32 -> Integer.toString(row.getInt(index));
            case BOOL -> Boolean.toString(row.getBoolean(index));
            case TIMESTAMP -> time(row.getLong(index));
            case STRING -> row.getString(index);
        };
    }
}
