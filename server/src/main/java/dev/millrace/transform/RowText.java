// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.spec.ValueType;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/// A row's raw values, written as an object of JSON. What is wrong is an [IllegalArgumentException]
/// that names the field, what came and what was expected. Threads: one.
final class RowText {
    private final FeaturePlan plan;
    private final byte[] bytes;
    private final int length;

    RowText(FeaturePlan plan, String json) {
        this.plan = plan;
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        this.length = text.length;
        this.bytes = Arrays.copyOf(text, text.length + JsonReader.PADDING);
    }

    /// Begins a row with the values.
    ///
    /// @param now the time of the request if the text does not say it
    void fill(FeatureRow row, long now) {
        try {
            // The time first: the other values are set after a row has begun.
            row.begin(time(now));
            JsonReader json = open();
            Set<String> names = new HashSet<>();
            while (json.nextMember()) {
                String name = json.text();
                if (!names.add(name)) {
                    throw new IllegalArgumentException("--row: '" + name + "' came twice");
                }
                if (name.equals(FieldBinding.REQUEST_TIME)) {
                    json.skip();
                } else {
                    put(json, row, field(name), name);
                }
            }
            if (json.token() != JsonReader.Token.END) {
                throw new IllegalArgumentException("--row: " + json.describe() + " came after the object");
            }
        } catch (JsonException e) {
            throw new IllegalArgumentException("--row: " + e.getMessage(), e);
        }
    }

    private JsonReader open() {
        JsonReader json = new JsonReader();
        json.reset(bytes, 0, length);
        if (json.token() != JsonReader.Token.OBJECT) {
            throw new IllegalArgumentException("--row: " + json.describe() + " came, expected an object of raw values");
        }
        json.enterObject();
        return json;
    }

    private int field(String name) {
        try {
            return plan.field(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--row: " + e.getMessage(), e);
        }
    }

    private long time(long now) {
        JsonReader json = open();
        long time = now;
        while (json.nextMember()) {
            if (json.text().equals(FieldBinding.REQUEST_TIME)) {
                JsonReader.Token token = json.token();
                if (token == JsonReader.Token.NUMBER) {
                    json.readNumber();
                    time = integer(json, FieldBinding.REQUEST_TIME, ValueType.TIMESTAMP);
                } else if (token == JsonReader.Token.STRING) {
                    json.readText();
                    time = micros(json.text(), FieldBinding.REQUEST_TIME);
                } else {
                    throw wrong(FieldBinding.REQUEST_TIME, json.describe(), ValueType.TIMESTAMP);
                }
            } else {
                json.skip();
            }
        }
        return time;
    }

    private void put(JsonReader json, FeatureRow row, int field, String name) {
        ValueType type = plan.type(field);
        JsonReader.Token token = json.token();
        switch (token) {
            case NULL -> json.readLiteral(token);
            case TRUE, FALSE -> {
                if (type == ValueType.STRING || type == ValueType.TIMESTAMP) {
                    throw wrong(name, json.describe(), type);
                }
                json.readLiteral(token);
                row.set(field, token == JsonReader.Token.TRUE);
            }
            case NUMBER -> {
                json.readNumber();
                putNumber(json, row, field, name);
            }
            case STRING -> {
                if (type != ValueType.STRING && type != ValueType.TIMESTAMP) {
                    throw wrong(name, json.describe(), type);
                }
                json.readText();
                if (type == ValueType.STRING) {
                    row.set(field, json.text());
                } else {
                    row.set(field, micros(json.text(), name));
                }
            }
            default -> throw wrong(name, json.describe(), type);
        }
    }

    private void putNumber(JsonReader json, FeatureRow row, int field, String name) {
        ValueType type = plan.type(field);
        switch (type) {
            case FLOAT64 -> row.set(field, json.real());
            case FLOAT32 -> row.set(field, (double) json.real32());
            case STRING -> throw wrong(name, json.describe(), type);
            default -> row.set(field, integer(json, name, type));
        }
        if (!json.isInRange()) {
            throw wrong(name, json.describe(), type);
        }
    }

    private static long integer(JsonReader json, String name, ValueType type) {
        if (!json.isInteger()) {
            throw wrong(name, json.describe(), type);
        }
        long value = json.integer(Long.MIN_VALUE, Long.MAX_VALUE);
        if (!json.isInRange()) {
            throw wrong(name, json.describe(), type);
        }
        return value;
    }

    private static long micros(String text, String name) {
        try {
            return ChronoUnit.MICROS.between(
                    Instant.EPOCH, OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException | ArithmeticException e) {
            throw new IllegalArgumentException(
                    wrong(name, "'" + text + "'", ValueType.TIMESTAMP).getMessage(), e);
        }
    }

    private static IllegalArgumentException wrong(String name, String came, ValueType type) {
        return new IllegalArgumentException("--row: field '" + name + "': " + came + " came, expected " + type.word()
                + (type == ValueType.TIMESTAMP ? ", as 2026-01-31T12:00:00Z or microseconds since 1970" : ""));
    }
}
