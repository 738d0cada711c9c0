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
    /// What a feature, a value with its status and time, and a time take, about.
    private static final int FEATURE_BYTES = 80;
    private static final int VALUE_BYTES = 48;
    private static final int TIME_BYTES = 32;
    private static final byte[] NEVER = JsonWriter.ascii("\"1970-01-01T00:00:00Z\"");
    private static final byte[] VALUES_BEGIN = JsonWriter.ascii("{\"values\":[");
    private static final byte[] STATUSES_BEGIN = JsonWriter.ascii("],\"statuses\":[");
    private static final byte[] TIMES_BEGIN = JsonWriter.ascii("],\"event_timestamps\":[");
    private static final byte[] END = JsonWriter.ascii("]}");
    private static final byte[] NULL = JsonWriter.ascii("null");

    private static final byte[][] STATUSES = Arrays.stream(FieldStatus.values())
            .map(status -> JsonWriter.ascii("\"" + status.name() + "\""))
            .toArray(byte[][]::new);

    private final FeatureAnswer answer;
    private final JsonWriter json;
    private final JsonWriter texts;
    /// Features of one view share theirs.
    private final Map<FeatureColumns, byte[]> times = new IdentityHashMap<>();

    private JsonAnswer(FeatureAnswer answer) {
        this.answer = answer;
        json = new JsonWriter(answer.features().size() * (FEATURE_BYTES + answer.rows() * VALUE_BYTES) + FEATURE_BYTES);
        texts = new JsonWriter(answer.rows() * TIME_BYTES);
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
        json.raw(VALUES_BEGIN);
        for (int at = 0; at < keys.size(); at++) {
            separate(json, at);
            switch (keys.get(at)) {
                case null -> json.raw(NULL);
                case Long number -> json.number(number);
                case Double number -> json.number(number);
                case Boolean bool -> json.bool(bool);
                case Object text -> json.string(text.toString());
            }
        }
        repeat(STATUSES_BEGIN, STATUSES[FieldStatus.PRESENT.ordinal()], keys.size());
        repeat(TIMES_BEGIN, NEVER, keys.size());
        json.raw(END);
    }

    private void repeat(byte[] before, byte[] text, int times) {
        json.raw(before);
        for (int i = 0; i < times; i++) {
            separate(json, i);
            json.raw(text);
        }
    }

    private static void separate(JsonWriter json, int at) {
        if (at > 0) {
            json.raw(',');
        }
    }

    private void feature(Feature feature) {
        FeatureColumn column = feature.column();
        json.raw(VALUES_BEGIN);
        for (int at = 0; at < answer.rows(); at++) {
            separate(json, at);
            if (column.isPresent(at)) {
                value(column, at);
            } else {
                json.raw(NULL);
            }
        }
        json.raw(STATUSES_BEGIN);
        for (int at = 0; at < answer.rows(); at++) {
            separate(json, at);
            json.raw(STATUSES[feature.status(at).ordinal()]);
        }
        json.raw(TIMES_BEGIN);
        json.raw(times.computeIfAbsent(feature.columns(), this::times)).raw(END);
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
            case null -> json.raw(NULL);
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
                    separate(json, i);
                    object(items.get(i));
                }
                json.raw(']');
            }
            case Object text -> json.string(text.toString());
        }
    }

    private byte[] times(FeatureColumns columns) {
        texts.reset();
        for (int at = 0; at < columns.rows(); at++) {
            separate(texts, at);
            if (columns.isFound(at)) {
                texts.raw('"').raw(time(columns.time(at))).raw('"');
            } else {
                texts.raw(NEVER);
            }
        }
        return texts.toBytes();
    }

    private static String time(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, MICROS), Math.floorMod(micros, MICROS) * NANOS_PER_MICRO)
                .toString();
    }
}
