// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.dataset.InvalidDataException;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads the file of a history once, in order.
///
/// Threads: one.
final class HistoryFile {
    private static final int BATCH_ROWS = 4096;
    private static final int FIRST_ROWS = 1 << 10;
    private static final int MOST_ROWS = 1 << 30;

    private final TableFile file;
    private final FeatureView view;
    private final boolean isTextKey;
    private final boolean hasCreated;
    /// The key, the event time, the creation if there is one, then the fields.
    private final List<Column> columns;

    private final KeyIndex keys;
    private int[] entities = new int[FIRST_ROWS];
    private long[] events = new long[FIRST_ROWS];
    private long[] places = new long[FIRST_ROWS];
    /// Null where rows are known from their event time on.
    private long[] created;

    private int rows;
    private long ahead;

    HistoryFile(TableFile file, FeatureView view) throws IOException {
        this.file = file;
        this.view = view;
        isTextKey = view.entity().type() == ValueType.STRING;
        hasCreated = view.times().created() != null;
        columns = columns(file, view);
        keys = new KeyIndex(isTextKey);
        created = hasCreated ? new long[FIRST_ROWS] : null;
    }

    /// What is read of a file: the key, the event time, the creation if there is one, then the fields.
    static List<Column> columns(TableFile file, FeatureView view) throws IOException {
        String event = view.times().event();
        String creation = view.times().created();
        if (event == null) {
            throw new IllegalArgumentException("view '" + view.name()
                    + "' came without timestamp_field, expected the name of the column with its event times");
        }
        ValueType key = view.entity().type();
        List<Column> columns = new ArrayList<>();
        require(file, view, view.entity().joinKey(), "the entity's key");
        columns.add(Column.of(view.entity().joinKey(), type(file, key, "")));
        require(file, view, event, "timestamp_field");
        columns.add(Column.of(event, type(file, ValueType.TIMESTAMP, event)));
        if (creation != null) {
            require(file, view, creation, "created_timestamp_field");
            columns.add(Column.of(creation, type(file, ValueType.TIMESTAMP, creation)));
        }
        for (FieldSpec field : view.fields()) {
            require(file, view, field.name(), "a field");
            columns.add(Column.nullable(field.name(), type(file, field.type(), field.name())));
        }
        return columns;
    }

    private static void require(TableFile file, FeatureView view, String name, String what)
            throws InvalidDataException {
        if (!file.has(name) && !file.mayHaveMore()) {
            throw new InvalidDataException(
                    file.file(),
                    "there is no column '" + name + "', which is " + what + " of view '" + view.name() + "'");
        }
    }

    /// What a column is read as; whole numbers are times, too, in microseconds.
    private static ColumnType type(TableFile file, ValueType type, String name) throws InvalidDataException {
        if (type != ValueType.TIMESTAMP || !file.has(name)) {
            return ColumnType.valueOf(type.name());
        }
        ColumnType own = file.column(name).type();
        return own == ColumnType.INT64 || own == ColumnType.INT32 ? ColumnType.INT64 : ColumnType.TIMESTAMP;
    }

    /// All of it, sorted.
    ViewHistory read() throws IOException {
        RowMemory memory = new RowMemory();
        try {
            HistoryRows writer = new HistoryRows(view, memory, hasCreated ? 3 : 2);
            TableBatch batch = TableBatch.of(columns, BATCH_ROWS);
            try (TableReader reader = file.read(columns, true)) {
                while (reader.next(batch)) {
                    for (int row = 0; row < batch.rows(); row++) {
                        if (batch.problem(row) != null) {
                            throw new InvalidDataException(file.file(), batch.problem(row));
                        }
                        add(batch, row, writer);
                    }
                }
            }
            HistoryIndex index = new HistoryIndex(keys.size(), entities, events, created, places, rows);
            return new ViewHistory(view, keys, index, memory, ahead);
        } catch (IOException | RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    private void add(TableBatch batch, int row, HistoryRows writer) throws InvalidDataException {
        if (rows == events.length) {
            grow();
        }
        ColumnValues key = batch.values(0);
        entities[rows] =
                isTextKey ? keys.add(key.getString(row).getBytes(StandardCharsets.UTF_8)) : keys.add(key.getLong(row));
        events[rows] = batch.values(1).getLong(row);
        if (hasCreated) {
            created[rows] = batch.values(2).getLong(row);
            ahead += events[rows] > created[rows] ? 1 : 0;
        }
        try {
            places[rows] = writer.add(batch, row);
        } catch (IllegalArgumentException e) {
            throw new InvalidDataException(file.file(), batch.place(row) + ", " + e.getMessage(), e);
        }
        rows++;
    }

    private void grow() throws InvalidDataException {
        if (rows == MOST_ROWS) {
            throw new InvalidDataException(file.file(), "it has more rows than " + MOST_ROWS + ", expected no more");
        }
        int next = Math.min(MOST_ROWS, rows + (rows >> 1));
        entities = Arrays.copyOf(entities, next);
        events = Arrays.copyOf(events, next);
        places = Arrays.copyOf(places, next);
        created = hasCreated ? Arrays.copyOf(created, next) : null;
    }
}
