// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.protocol.Refusal;
import dev.millrace.store.Field;
import dev.millrace.store.Row;
import dev.millrace.store.View;
import dev.millrace.store.ViewReader;
import dev.millrace.store.ViewSchema;
import java.util.List;

/// Reads rows of a store into columns: each row is read once, so the features of an entity belong
/// together. Threads: one.
final class StoreRows {
    private final FeatureColumns columns;
    private final int[] places;

    private StoreRows(FeatureColumns columns) {
        this.columns = columns;
        this.places = columns.fields().stream()
                .map(Field::name)
                .mapToInt(columns.schema()::index)
                .toArray();
    }

    /// Reads all rows.
    ///
    /// @param keys a value for each row
    /// @param to where there is room for them
    /// @throws Refusal if one is no key of the view
    static void read(View view, List<Object> keys, FeatureColumns to) {
        StoreRows rows = new StoreRows(to);
        try (ViewReader reader = view.reader()) {
            for (int at = 0; at < keys.size(); at++) {
                if (find(view.schema(), reader, keys.get(at), at)) {
                    rows.take(at, reader.row());
                }
            }
        }
    }

    /// @param at the row, for what is said if the key is wrong
    private static boolean find(ViewSchema schema, ViewReader reader, Object key, int at) {
        boolean texts = schema.hasStringKey();
        return switch (key) {
            case null -> false;
            case String text when texts -> reader.find(text);
            case Long number when !texts -> reader.find(number);
            case Integer number when !texts -> reader.find(number.longValue());
            default ->
                throw Refusal.invalid("entities." + schema.key().name() + "[" + at + "] is "
                        + JsonObjectReader.describe(key) + ", expected "
                        + (texts ? "a string" : "an integer") + " for the key of view '"
                        + schema.name() + "'");
        };
    }

    private void take(int at, Row row) {
        columns.found(at, row.eventTime());
        for (int i = 0; i < places.length; i++) {
            FeatureColumn column = columns.column(i);
            if (row.isNull(places[i])) {
                column.putNull(at);
            } else {
                put(column, at, row, places[i]);
            }
        }
    }

    private static void put(FeatureColumn column, int at, Row row, int field) {
        switch (column.type()) {
            case FLOAT64 -> column.put(at, row.getDouble(field));
            case FLOAT32 -> column.put(at, row.getFloat(field));
            case INT64, TIMESTAMP -> column.put(at, row.getLong(field));
            case INT32 -> column.put(at, (long) row.getInt(field));
            case BOOL -> column.put(at, row.getBoolean(field) ? 1L : 0L);
            case STRING -> column.put(at, row.getString(field));
        }
    }
}
