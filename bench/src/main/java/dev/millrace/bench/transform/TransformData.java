// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.transform;

import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A specification of 38 columns from 24 raw values, the same with six columns of a view in place of
/// others, and rows for them that are the same each time.
///
/// Threads: one.
final class TransformData {
    /// How many rows of history there are for each entity.
    static final int HISTORY_PER_ENTITY = 20;

    /// How many entities there are.
    static final int ENTITIES = 50_000;

    private static final long START = 1_767_225_600_000_000L;
    private static final long SPAN = 30L * 86_400 * 1_000_000;
    private static final int BATCH = 10_000;
    private static final String[] COUNTRIES = {"CH", "DE", "FR", "IT", "AT", "GB", "US", "JP"};
    private static final String[] DEVICES = {"ios", "android", "web"};

    private final Path folder;
    private final SplittableRandom random = new SplittableRandom(40);

    TransformData(Path folder) {
        this.folder = folder;
    }

    static List<Column> rowColumns() {
        List<Column> columns = new ArrayList<>();
        columns.add(Column.of("user_id", ColumnType.INT64));
        columns.add(Column.of("request_time", ColumnType.TIMESTAMP));
        for (int i = 0; i < 10; i++) {
            columns.add(Column.nullable("d" + i, ColumnType.FLOAT64));
        }
        for (int i = 0; i < 4; i++) {
            columns.add(Column.of("f" + i, ColumnType.FLOAT32));
        }
        columns.add(Column.of("l0", ColumnType.INT64));
        columns.add(Column.of("l1", ColumnType.INT64));
        columns.add(Column.of("i0", ColumnType.INT32));
        columns.add(Column.of("i1", ColumnType.INT32));
        columns.add(Column.of("b0", ColumnType.BOOL));
        columns.add(Column.of("t0", ColumnType.TIMESTAMP));
        columns.add(Column.of("device", ColumnType.STRING));
        columns.add(Column.nullable("country", ColumnType.STRING));
        return columns;
    }

    /// Writes `forty.yaml`, `forty_view.yaml`, `rows.parquet`, `rows.csv` and `history.parquet`.
    void write(int rows) throws IOException {
        Files.writeString(folder.resolve("forty.yaml"), TransformSpecification.of(rowColumns(), false));
        Files.writeString(folder.resolve("forty_view.yaml"), TransformSpecification.of(rowColumns(), true));
        List<Column> columns = rowColumns();
        TableBatch batch = TableBatch.of(columns, BATCH);
        try (TableWriter parquet = TableWriter.create(folder.resolve("rows.parquet"), columns);
                TableWriter csv = TableWriter.create(folder.resolve("rows.csv"), columns)) {
            for (int done = 0; done < rows; done += BATCH) {
                fill(batch, Math.min(BATCH, rows - done));
                parquet.append(batch);
                csv.append(batch);
            }
            parquet.finish();
            csv.finish();
        }
        history();
    }

    private void history() throws IOException {
        List<Column> columns = List.of(
                Column.of("user_id", ColumnType.INT64),
                Column.of("seen_at", ColumnType.TIMESTAMP),
                Column.of("written_at", ColumnType.TIMESTAMP),
                Column.of("sum_1d", ColumnType.FLOAT64),
                Column.of("sum_7d", ColumnType.FLOAT64),
                Column.nullable("mean_7d", ColumnType.FLOAT64),
                Column.of("count_7d", ColumnType.INT64),
                Column.of("last", ColumnType.FLOAT32),
                Column.of("country", ColumnType.STRING));
        TableBatch batch = TableBatch.of(columns, BATCH);
        int rows = ENTITIES * HISTORY_PER_ENTITY;
        try (TableWriter writer = TableWriter.create(folder.resolve("history.parquet"), columns)) {
            for (int done = 0; done < rows; done += BATCH) {
                fill(batch, BATCH);
                for (int row = 0; row < BATCH; row++) {
                    long seen = START + (long) ((double) (done + row) / rows * SPAN);
                    batch.values(1).setLong(row, seen);
                    batch.values(2).setLong(row, seen + random.nextLong(3_600_000_000L));
                }
                writer.append(batch);
            }
            writer.finish();
        }
    }

    private void fill(TableBatch batch, int rows) {
        batch.clear();
        batch.rows(rows);
        for (int i = 0; i < batch.columns().size(); i++) {
            for (int row = 0; row < rows; row++) {
                fill(batch.columns().get(i), batch.values(i), row);
            }
        }
    }

    private void fill(Column column, ColumnValues values, int row) {
        if (column.nullable() && random.nextInt(20) == 0) {
            values.setNull(row);
            return;
        }
        switch (values.type()) {
            case FLOAT64 -> values.setDouble(row, random.nextInt(10_000) / 100.0);
            case FLOAT32 -> values.setFloat(row, random.nextInt(10_000) / 100f);
            case INT64 -> values.setLong(row, random.nextInt(column.name().equals("user_id") ? ENTITIES : 1_000_000));
            case INT32 -> values.setInt(row, random.nextInt(100));
            case BOOL -> values.setBoolean(row, random.nextBoolean());
            case TIMESTAMP -> values.setLong(row, START + random.nextLong(SPAN));
            case STRING -> {
                String[] texts = column.name().equals("device") ? DEVICES : COUNTRIES;
                values.setString(row, texts[random.nextInt(texts.length)]);
            }
        }
    }
}
