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
import java.util.Locale;
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

    /// The text of the specification.
    static String specification(boolean hasView) {
        StringBuilder text = new StringBuilder("apiVersion: v1\nkind: FeaturePipeline\nname: forty\nversion: 1\n");
        if (hasView) {
            text.append("""
                entities: [{name: user, join_keys: [user_id], type: int64}]
                sources:
                  txn_stats:
                    kind: store
                    entity: user
                    timestamp_field: seen_at
                    created_timestamp_field: written_at
                    ttl: 7d
                    fields:
                      - {name: sum_1d, type: float64, default: 0}
                      - {name: sum_7d, type: float64, default: 0}
                      - {name: mean_7d, type: float64}
                      - {name: count_7d, type: int64, default: 0}
                      - {name: last, type: float32}
                      - {name: country, type: string}
                """);
        }
        text.append("request:\n");
        for (Column column : rowColumns()) {
            if (!column.name().equals("request_time")) {
                text.append("  - {name: %s, type: %s}\n".formatted(column.name(), word(column.type())));
            }
        }
        text.append("features:\n");
        for (int i = 0; i < 6; i++) {
            text.append("""
                  - name: d%1$d_z
                    input: d%1$d
                    treat: {missing: {treatment: as_value, value: 0.5}}
                    transform: [{standardize: {mean: 50.5, std: 28.8}}]
                    validate: [{finite: true}]
                """.formatted(i));
        }
        for (int i = 6; i < 10; i++) {
            text.append(
                    "  - {name: d%1$d_log, input: d%1$d, transform: [log1p, {standardize: {mean: 3.6, std: 0.9}}]}\n"
                            .formatted(i));
        }
        for (int i = 0; i < 3; i++) {
            text.append("  - {name: f%1$d_mm, input: f%1$d, transform: [{minmax: {min: 0, max: 100, clip: true}}]}\n"
                    .formatted(i));
        }
        text.append("""
              - {name: l0_hash, input: l0, transform: [{hash: {buckets: 1000, algorithm: murmur3_x86_32}}]}
              - name: i0_bin
                input: i0
                transform: [{bucketize: {boundaries: [10, 25, 50, 75, 90], closed: left}}]
              - {name: i1, input: i1}
              - {name: b0, input: b0}
              - {name: hour_sin, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: sin}}]}
              - {name: hour_cos, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: cos}}]}
              - {name: age, input: t0, transform: [{datetime: {part: epoch_day, zone: UTC}}]}
              - {name: device, input: device, transform: [{vocab: {values: [ios, android], unknown: 'null'}}]}
              - {name: country, input: country, transform: [{one_hot: {vocab: [CH, DE, FR, IT, AT, GB, US],
                  unknown: bucket}}]}
              - name: country_device
                inputs: [country, device]
                transform: [{cross: {buckets: 64, algorithm: murmur3_x86_32}}]
            """);
        text.append(hasView ? """
              - {name: sum_1d, input: txn_stats.sum_1d, transform: [log1p]}
              - {name: sum_7d, input: txn_stats.sum_7d, transform: [log1p]}
              - {name: mean_7d, input: txn_stats.mean_7d, default: -1}
              - {name: count_7d, input: txn_stats.count_7d, transform: [{standardize: {mean: 20, std: 9}}]}
              - {name: last, input: txn_stats.last, transform: [{standardize: {mean: 50, std: 29}}]}
              - name: home
                input: txn_stats.country
                default: -1
                transform: [{vocab: {values: [CH, DE, FR, IT, AT, GB, US, JP], unknown: 'null'}}]
            """ : """
                  - {name: d0_sqrt, input: d0, transform: [sqrt]}
                  - {name: d1_sqrt, input: d1, transform: [sqrt]}
                  - {name: d2_clip, input: d2, transform: [{clip: {low: 1, high: 99}}]}
                  - {name: d3_clip, input: d3, transform: [{clip: {low: 1, high: 99}}]}
                  - {name: d4_robust, input: d4, transform: [{robust: {median: 50, iqr: 50}}]}
                  - {name: d5_robust, input: d5, transform: [{robust: {median: 50, iqr: 50}}]}
                """);
        text.append("  - {name: f3, input: f3, transform: [{impute: {value: 7}}]}\n");
        text.append("  - {name: l1, input: l1, transform: [{standardize: {mean: 500000, std: 280000}}]}\n");
        text.append("output: {tensor: in, type: float32, layout: row}\n");
        return text.toString();
    }

    private static String word(ColumnType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private static List<Column> rowColumns() {
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
        Files.writeString(folder.resolve("forty.yaml"), specification(false));
        Files.writeString(folder.resolve("forty_view.yaml"), specification(true));
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
