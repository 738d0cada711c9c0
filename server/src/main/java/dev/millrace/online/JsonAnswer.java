// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.feast.UnixTime;
import dev.millrace.json.JsonWriter;
import dev.millrace.online.FeatureAnswer.Feature;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Writes answers as Feast's server does in JSON. Threads: one.
final class JsonAnswer {
    private static final long MICROS = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;
    private static final String NEVER = "1970-01-01T00:00:00Z";

    private static final byte[][] STATUSES = Arrays.stream(FieldStatus.values())
            .map(status -> JsonWriter.ascii("\"" + status.name() + "\""))
            .toArray(byte[][]::new);

    private final FeatureAnswer answer;
    private final JsonWriter json = new JsonWriter();
    /// Features of one view share theirs.
    private final Map<FeatureColumns, byte[]> times = new IdentityHashMap<>();

    private JsonAnswer(FeatureAnswer answer) {
        this.answer = answer;
    }

    static byte[] bytes(FeatureAnswer answer) {
        return new JsonAnswer(answer).write();
    }

    private byte[] write() {
        json.raw("{\"metadata\":{\"feature_names\":[");
        String separator = "";
        for (String key : answer.keys().keySet()) {
            json.raw(separator).string(key);
            separator = ",";
        }
        for (Feature feature : answer.features()) {
            json.raw(separator).string(feature.name());
            separator = ",";
        }
        json.raw("]},\"results\":[");
        separator = "";
        for (List<Object> keys : answer.keys().values()) {
            json.raw(separator);
            keys(keys);
            separator = ",";
        }
        for (Feature feature : answer.features()) {
            json.raw(separator);
            feature(feature);
            separator = ",";
        }
        return json.raw("]}").toBytes();
    }

    /// A join key as if it was a feature, as Feast does.
    private void keys(List<Object> keys) {
        json.raw("{\"values\":[");
        for (int at = 0; at < keys.size(); at++) {
            json.raw(at > 0 ? "," : "");
            switch (keys.get(at)) {
                case null -> json.raw("null");
                case Long number -> json.number(number);
                case Double number -> json.number(number);
                case Boolean bool -> json.bool(bool);
                case Object text -> json.string(text.toString());
            }
        }
        repeat("],\"statuses\":[", "\"" + FieldStatus.PRESENT + "\"", keys.size());
        repeat("],\"event_timestamps\":[", "\"" + NEVER + "\"", keys.size());
        json.raw("]}");
    }

    private void repeat(String before, String text, int times) {
        json.raw(before);
        for (int i = 0; i < times; i++) {
            json.raw(i > 0 ? "," : "").raw(text);
        }
    }

    private void feature(Feature feature) {
        FeatureColumn column = feature.column();
        json.raw("{\"values\":[");
        for (int at = 0; at < answer.rows(); at++) {
            if (at > 0) {
                json.raw(',');
            }
            if (column.isPresent(at)) {
                value(column, at);
            } else {
                json.raw("null");
            }
        }
        json.raw("],\"statuses\":[");
        for (int at = 0; at < answer.rows(); at++) {
            if (at > 0) {
                json.raw(',');
            }
            json.raw(STATUSES[feature.status(at).ordinal()]);
        }
        json.raw("],\"event_timestamps\":[");
        json.raw(times.computeIfAbsent(feature.columns(), JsonAnswer::times)).raw("]}");
    }

    private void value(FeatureColumn column, int at) {
        if (!column.isTyped()) {
            object(column.getObject(at));
            return;
        }
        switch (column.type()) {
            case FLOAT64 -> json.number(column.getDouble(at));
            case FLOAT32 -> json.number(column.getFloat(at));
            case INT64, INT32 -> json.number(column.getLong(at));
            case BOOL -> json.bool(column.getBoolean(at));
            case TIMESTAMP -> json.number(Math.floorDiv(column.getLong(at), MICROS));
            case STRING -> json.string(column.getString(at));
        }
    }

    /// A value of a type of its own; bytes are written in base64.
    private void object(Object value) {
        switch (value) {
            case null -> json.raw("null");
            case Double number -> json.number(number);
            case Float number -> json.number(number);
            case Long number -> json.number(number);
            case Integer number -> json.number((long) number);
            case Boolean bool -> json.bool(bool);
            case UnixTime(long seconds) -> json.number(seconds);
            case byte[] bytes -> json.string(Base64.getEncoder().encodeToString(bytes));
            case List<?> items -> {
                json.raw('[');
                for (int i = 0; i < items.size(); i++) {
                    json.raw(i > 0 ? "," : "");
                    object(items.get(i));
                }
                json.raw(']');
            }
            case Object text -> json.string(text.toString());
        }
    }

    private static byte[] times(FeatureColumns columns) {
        JsonWriter texts = new JsonWriter();
        for (int at = 0; at < columns.rows(); at++) {
            texts.raw(at > 0 ? ",\"" : "\"").raw(time(columns, at)).raw('"');
        }
        return texts.toBytes();
    }

    private static String time(FeatureColumns columns, int row) {
        if (!columns.isFound(row)) {
            return NEVER;
        }
        long micros = columns.time(row);
        return Instant.ofEpochSecond(Math.floorDiv(micros, MICROS), Math.floorMod(micros, MICROS) * NANOS_PER_MICRO)
                .toString();
    }
}
