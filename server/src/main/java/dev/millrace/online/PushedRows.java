// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.protocol.Refusal;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;

/// Makes rows of a view from columns. What does not fit is a [Refusal] that says where, what came
/// and what was expected. Threads: one.
///
/// @param nowMicros when rows became known that do not say it
record PushedRows(Push push, View view, long nowMicros) {
    /// Feast's usual names for the times of a row.
    static final String EVENT_TIME = "event_timestamp";

    static final String CREATED = "created";

    /// All rows, to be written together.
    WriteBatch batch() {
        WriteBatch batch = new WriteBatch();
        Field key = view.schema().key();
        List<Object> keys = required(key.name());
        List<Object> events = required(EVENT_TIME);
        List<Object> created = push.columns().get(CREATED);
        List<Field> fields = view.schema().fields();
        List<List<Object>> values =
                fields.stream().map(field -> required(field.name())).toList();
        for (int row = 0; row < keys.size(); row++) {
            long event = time(EVENT_TIME, row, events.get(row));
            long known = created == null || created.get(row) == null ? nowMicros : time(CREATED, row, created.get(row));
            begin(batch, key, row, keys.get(row), event, known);
            for (int i = 0; i < fields.size(); i++) {
                if (values.get(i).get(row) != null) {
                    put(batch, i, fields.get(i), row, values.get(i).get(row));
                }
            }
        }
        return batch;
    }

    private List<Object> required(String column) {
        List<Object> values = push.columns().get(column);
        if (values == null) {
            throw Refusal.invalid("df has " + push.columns().keySet() + ", expected '" + column + "' for view '"
                    + view.schema().name() + "'");
        }
        return values;
    }

    private void begin(WriteBatch batch, Field key, int row, Object value, long event, long known) {
        boolean texts = key.type() == FieldType.STRING;
        if (texts ? !(value instanceof String) : !(value instanceof Long)) {
            throw wrong(key.name(), row, value, texts ? "a string, the key" : "an integer, the key");
        }
        try {
            if (texts) {
                batch.row(view, (String) value, event, known);
            } else {
                batch.row(view, (Long) value, event, known);
            }
        } catch (IllegalArgumentException e) {
            throw Refusal.invalid("df." + key.name() + "[" + row + "]: " + e.getMessage());
        }
    }

    private static void put(WriteBatch batch, int index, Field field, int row, Object value) {
        String name = field.name();
        try {
            switch (field.type()) {
                case FLOAT64 -> batch.putDouble(index, real(name, row, value));
                case FLOAT32 -> batch.putFloat(index, single(name, row, value));
                case INT64 -> batch.putLong(index, integer(name, row, value));
                case INT32 -> batch.putInt(index, Math.toIntExact(integer(name, row, value)));
                case BOOL -> {
                    if (!(value instanceof Boolean truth)) {
                        throw wrong(name, row, value, "true or false");
                    }
                    batch.putBoolean(index, truth);
                }
                case TIMESTAMP -> batch.putLong(index, time(name, row, value));
                case STRING -> {
                    if (!(value instanceof String text)) {
                        throw wrong(name, row, value, "a string");
                    }
                    batch.putString(index, text);
                }
            }
        } catch (ArithmeticException _) {
            throw wrong(name, row, value, "an integer of 32 bits");
        } catch (IllegalArgumentException e) {
            throw Refusal.invalid("df." + name + "[" + row + "]: " + e.getMessage());
        }
    }

    private static double real(String name, int row, Object value) {
        return switch (value) {
            case Double number -> number;
            case Long number -> number;
            default -> throw wrong(name, row, value, "a number");
        };
    }

    private static float single(String name, int row, Object value) {
        double number = real(name, row, value);
        if (Double.isFinite(number) && Float.isInfinite((float) number)) {
            throw wrong(name, row, value, "what a float of 32 bits holds");
        }
        return (float) number;
    }

    private static long integer(String name, int row, Object value) {
        if (value instanceof Long number) {
            return number;
        }
        throw wrong(name, row, value, "an integer");
    }

    /// Microseconds since 1970; times without a zone are UTC, as Feast takes them.
    private static long time(String name, int row, Object value) {
        if (value instanceof Long micros) {
            return micros;
        }
        if (value instanceof String text) {
            try {
                return ChronoUnit.MICROS.between(
                        Instant.EPOCH, instant(text.strip().replace(' ', 'T')));
            } catch (DateTimeException | ArithmeticException _) {
                // Told below.
            }
        }
        throw wrong(name, row, value, "a time like 2026-01-31T12:00:00Z, or microseconds since 1970");
    }

    private static Instant instant(String text) {
        int clock = text.indexOf('T');
        boolean zoned = clock > 0 && text.substring(clock).matches(".*([Zz]|[+-]\\d\\d(:?\\d\\d)?)");
        return zoned
                ? OffsetDateTime.parse(text).toInstant()
                : LocalDateTime.parse(text).toInstant(ZoneOffset.UTC);
    }

    private static Refusal wrong(String name, int row, Object value, String expected) {
        return Refusal.invalid(
                "df." + name + "[" + row + "] is " + JsonObjectReader.describe(value) + ", expected " + expected);
    }
}
