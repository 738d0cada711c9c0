// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.json.JsonWriter;
import dev.millrace.protocol.Refusal;
import dev.millrace.store.Row;
import dev.millrace.store.View;
import dev.millrace.store.ViewReader;
import dev.millrace.store.ViewSchema;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The features of one view for all rows of a request, as columns of the answer: each row of the
/// store is read once, so the features of an entity belong together. Threads: one.
final class FeatureColumns {
    private static final long MICROS = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;
    private static final String NEVER = "1970-01-01T00:00:00Z";
    private static final Status[] STATUSES = Status.values();

    /// What is known of a value, by Feast's names.
    private enum Status {
        PRESENT,
        NULL_VALUE,
        NOT_FOUND,
        /// The value is there, and older than it may be.
        OUTSIDE_MAX_AGE
    }

    private final View view;
    private final long maxAgeMicros;
    private final List<String> fields = new ArrayList<>();
    private final List<JsonWriter> values = new ArrayList<>();
    private final List<byte[]> statuses = new ArrayList<>();
    private final JsonWriter times = new JsonWriter();

    /// @param maxAgeMicros how old a row may be
    FeatureColumns(View view, long maxAgeMicros) {
        this.view = view;
        this.maxAgeMicros = maxAgeMicros;
    }

    View view() {
        return view;
    }

    /// Adds a feature; its place.
    int add(String field) {
        fields.add(field);
        return fields.size() - 1;
    }

    /// How many bytes the texts of a row have at most.
    long textBytes() {
        return fields.stream()
                .mapToLong(field -> {
                    ViewSchema schema = view.schema();
                    return schema.fields().get(schema.index(field)).maxBytes();
                })
                .sum();
    }

    /// Reads all rows.
    ///
    /// @param keys a value for each row
    /// @param nowMicros what ages are counted to
    void read(List<Object> keys, long nowMicros) {
        ViewSchema schema = view.schema();
        int[] places = fields.stream().mapToInt(schema::index).toArray();
        for (int i = 0; i < places.length; i++) {
            values.add(new JsonWriter());
            statuses.add(new byte[keys.size()]);
        }
        try (ViewReader reader = view.reader()) {
            for (int at = 0; at < keys.size(); at++) {
                boolean found = find(reader, keys.get(at), at);
                Row row = reader.row();
                time(at, found ? instant(row.eventTime()).toString() : NEVER);
                boolean old = found && row.eventTime() < nowMicros && nowMicros - row.eventTime() > maxAgeMicros;
                for (int i = 0; i < places.length; i++) {
                    JsonWriter to = values.get(i).raw(at > 0 ? "," : "");
                    boolean there = found && !row.isNull(places[i]);
                    if (there) {
                        value(to, row, places[i]);
                    } else {
                        to.raw("null");
                    }
                    statuses.get(i)[at] = (byte) status(found, there, old).ordinal();
                }
            }
        }
    }

    private static Status status(boolean found, boolean there, boolean old) {
        if (!found) {
            return Status.NOT_FOUND;
        }
        return old ? Status.OUTSIDE_MAX_AGE : there ? Status.PRESENT : Status.NULL_VALUE;
    }

    /// @param at the row, for what is said if the key is wrong
    private boolean find(ViewReader reader, Object key, int at) {
        boolean texts = view.schema().hasStringKey();
        return switch (key) {
            case null -> false;
            case String text when texts -> reader.find(text);
            case Long number when !texts -> reader.find(number);
            default ->
                throw Refusal.invalid("entities." + view.schema().key().name() + "[" + at + "] is "
                        + JsonObjectReader.describe(key) + ", expected "
                        + (texts ? "a string" : "an integer") + " for the key of view '"
                        + view.schema().name() + "'");
        };
    }

    private void time(int at, String text) {
        times.raw(at > 0 ? ",\"" : "\"").raw(text).raw('"');
    }

    private static Instant instant(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, MICROS), Math.floorMod(micros, MICROS) * NANOS_PER_MICRO);
    }

    private void value(JsonWriter to, Row row, int field) {
        switch (view.schema().fields().get(field).type()) {
            case FLOAT64 -> to.number(row.getDouble(field));
            case FLOAT32 -> to.number(row.getFloat(field));
            case INT64 -> to.number(row.getLong(field));
            case INT32 -> to.number(row.getInt(field));
            case BOOL -> to.bool(row.getBoolean(field));
            case TIMESTAMP -> to.number(Math.floorDiv(row.getLong(field), MICROS));
            case STRING -> to.string(row.getString(field));
        }
    }

    /// Writes a feature's values, statuses and times.
    ///
    /// @param feature from [#add(String)]
    void write(JsonWriter to, int feature) {
        to.raw("{\"values\":[").raw(values.get(feature).toBytes()).raw("],\"statuses\":[");
        String separator = "\"";
        for (byte status : statuses.get(feature)) {
            to.raw(separator).raw(STATUSES[status].name()).raw('"');
            separator = ",\"";
        }
        to.raw("],\"event_timestamps\":[").raw(times.toBytes()).raw("]}");
    }

    /// Writes a join key as if it was a feature, as Feast does.
    static void writeKeys(JsonWriter to, List<Object> keys) {
        to.raw("{\"values\":[");
        for (int at = 0; at < keys.size(); at++) {
            to.raw(at > 0 ? "," : "");
            switch (keys.get(at)) {
                case null -> to.raw("null");
                case Long number -> to.number(number);
                case Double number -> to.number(number);
                case Boolean bool -> to.bool(bool);
                case Object text -> to.string(text.toString());
            }
        }
        repeat(to.raw("],\"statuses\":["), "\"" + Status.PRESENT + "\"", keys.size());
        repeat(to.raw("],\"event_timestamps\":["), "\"" + NEVER + "\"", keys.size());
        to.raw("]}");
    }

    private static void repeat(JsonWriter to, String text, int times) {
        for (int i = 0; i < times; i++) {
            to.raw(i > 0 ? "," : "").raw(text);
        }
    }
}
