// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.dataset.InvalidDataException;
import dev.millrace.history.ViewHistory;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// The events of one view, written to a store in the order in which they became available; of
/// several that did so at once, as they are in the file.
///
/// Threads: one. Memory: all events, on the heap.
final class ReplayedLog {
    private static final int BATCH_ROWS = 4096;
    /// A row has 64 KiB at most, and a batch of a store 64 MiB.
    private static final int WRITTEN_ROWS = 512;
    /// The longest text that a store has as a key.
    private static final int MAX_KEY_BYTES = 256;

    private final Path file;
    private final FeatureView view;
    private final List<Column> columns;
    private final int firstField;
    private final List<TableBatch> batches = new ArrayList<>();
    /// Of the texts of each column the longest.
    private final int[] textBytes;

    private final WriteBatch written = new WriteBatch();
    private long[] available = new long[BATCH_ROWS];
    private int rows;
    private int[] order;
    private int next;

    private ReplayedLog(TableFile table, FeatureView view) throws IOException {
        this.file = table.file();
        this.view = view;
        this.columns = ViewHistory.columns(table, view);
        this.firstField = columns.size() - view.fields().size();
        this.textBytes = new int[columns.size()];
        Arrays.fill(textBytes, 1);
    }

    /// Reads all events.
    ///
    /// @param view one of kind store
    /// @throws InvalidDataException as a history of the same file, and if a text is longer than a
    ///     store has them
    static ReplayedLog read(Path file, FeatureView view) throws IOException {
        TableFile table = TableFile.open(file);
        ReplayedLog log = new ReplayedLog(table, view);
        try (TableReader reader = table.read(log.columns, true)) {
            TableBatch batch = TableBatch.of(log.columns, BATCH_ROWS);
            while (reader.next(batch)) {
                log.add(batch);
                batch = TableBatch.of(log.columns, BATCH_ROWS);
            }
        }
        log.sort();
        return log;
    }

    private void add(TableBatch batch) throws InvalidDataException {
        batches.add(batch);
        if (rows + batch.rows() > available.length) {
            available = Arrays.copyOf(available, rows + Math.max(batch.rows(), rows / 2));
        }
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.problem(row) != null) {
                throw new InvalidDataException(file, batch.problem(row));
            }
            available[rows++] = batch.values(firstField - 1).getLong(row);
            for (int i = 0; i < columns.size(); i++) {
                measure(batch, row, i);
            }
        }
    }

    private void measure(TableBatch batch, int row, int column) throws InvalidDataException {
        ColumnValues values = batch.values(column);
        if (values.type() != ColumnType.STRING || values.isNull(row)) {
            return;
        }
        int bytes = values.getString(row).getBytes(StandardCharsets.UTF_8).length;
        int most = column == 0 ? MAX_KEY_BYTES : Field.MAX_STRING_BYTES;
        if (bytes > most) {
            throw new InvalidDataException(
                    file,
                    batch.place(row) + ", column '" + columns.get(column).name() + "': a text of " + bytes
                            + " bytes came, expected at most " + most + " in a store");
        }
        textBytes[column] = Math.max(textBytes[column], bytes);
    }

    private void sort() {
        order = IntStream.range(0, rows)
                .boxed()
                .sorted(Comparator.comparingLong(row -> available[row]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /// What the store has to keep.
    ViewSchema schema() {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < view.fields().size(); i++) {
            FieldSpec field = view.fields().get(i);
            fields.add(field(field.name(), field.type(), textBytes[firstField + i]));
        }
        return new ViewSchema(
                view.name(), field(view.entity().joinKey(), view.entity().type(), textBytes[0]), fields);
    }

    private static Field field(String name, ValueType type, int bytes) {
        return type == ValueType.STRING ? Field.string(name, bytes) : Field.of(name, FieldType.valueOf(type.name()));
    }

    /// Writes what became available up to a time, and was not written yet.
    void write(EmbeddedStore store, long micros) throws IOException {
        View to = store.view(view.name());
        while (next < rows && available[order[next]] <= micros) {
            int row = order[next++];
            put(to, batches.get(row / BATCH_ROWS), row % BATCH_ROWS, available[row]);
            if (written.rows() == WRITTEN_ROWS) {
                store.write(written);
                written.clear();
            }
        }
        if (written.rows() > 0) {
            store.write(written);
            written.clear();
        }
    }

    private void put(View to, TableBatch from, int row, long known) {
        long event = from.values(1).getLong(row);
        if (view.entity().type() == ValueType.STRING) {
            written.row(to, from.values(0).getString(row), event, known);
        } else {
            written.row(to, from.values(0).getLong(row), event, known);
        }
        for (int i = 0; i < view.fields().size(); i++) {
            ColumnValues values = from.values(firstField + i);
            if (values.isNull(row)) {
                continue;
            }
            switch (values.type()) {
                case FLOAT64 -> written.putDouble(i, values.getDouble(row));
                case FLOAT32 -> written.putFloat(i, values.getFloat(row));
                case INT64, TIMESTAMP -> written.putLong(i, values.getLong(row));
                case INT32 -> written.putInt(i, values.getInt(row));
                case BOOL -> written.putBoolean(i, values.getBoolean(row));
                case STRING -> written.putString(i, values.getString(row));
            }
        }
    }
}
