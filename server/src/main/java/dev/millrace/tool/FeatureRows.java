// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.dataset.Records;
import dev.millrace.store.FeatureStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Writes the rows of a file to a view of a store; its columns are called like the view's key and
/// fields. Threads: one.
///
/// @param eventTime the column with the event time
/// @param availabilityTime that with the availability time; without one it is the event time
/// @param batchRows how many rows are written together
record FeatureRows(String eventTime, Optional<String> availabilityTime, int batchRows) {
    /// Writes all of them.
    ///
    /// @return how many there were
    /// @throws IOException if the file cannot be read, a value does not fit, or the store
    ///     cannot be written; the batches before are in the store
    long load(Path file, FeatureStore store, View view) throws IOException {
        ViewSchema schema = view.schema();
        List<String> columns = new ArrayList<>(List.of(schema.key().name(), eventTime));
        columns.add(availabilityTime.orElse(eventTime));
        schema.fields().forEach(field -> columns.add(field.name()));
        String[] values = new String[columns.size()];
        WriteBatch batch = new WriteBatch();
        long rows = 0;
        try (Records records = Records.open(file, columns)) {
            while (records.next(values)) {
                add(file, records, batch, view, columns, values);
                rows++;
                if (batch.rows() == batchRows) {
                    store.write(batch);
                    batch.clear();
                }
            }
        }
        if (batch.rows() > 0) {
            store.write(batch);
        }
        return rows;
    }

    private static void add(
            Path file, Records records, WriteBatch batch, View view, List<String> columns, String[] values)
            throws IOException {
        int column = 0;
        try {
            for (; column < 3; column++) {
                if (values[column] == null) {
                    throw new IllegalArgumentException("nothing came, expected one in every row");
                }
            }
            column = 1;
            long event = FieldText.micros(values[column++]);
            long available = FieldText.micros(values[column]);
            column = 0;
            begin(batch, view, values[column], event, available);
            for (int field = 0; field < view.schema().fields().size(); field++) {
                column = 3 + field;
                if (values[column] != null) {
                    FieldText.put(batch, field, view.schema().fields().get(field), values[column]);
                }
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    file + ": " + records.place() + ", column '" + columns.get(column) + "': " + e.getMessage(), e);
        }
    }

    private static void begin(WriteBatch batch, View view, String key, long event, long available) {
        Field declared = view.schema().key();
        if (declared.type() == FieldType.STRING) {
            batch.row(view, key, event, available);
        } else {
            batch.row(view, integer(declared, key), event, available);
        }
    }

    /// The key that a text is.
    static long integer(Field key, String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' came, expected the key '" + key.name() + "' of type " + key.typeText(), e);
        }
    }
}
