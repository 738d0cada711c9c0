// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.dataset.InvalidDataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is written, letter by letter, and what is not.
class TableWriterTest {
    private static final List<Column> COLUMNS = List.of(
            Column.of("id", ColumnType.INT64),
            Column.nullable("name, \"full\"", ColumnType.STRING),
            Column.nullable("score", ColumnType.FLOAT32),
            Column.nullable("at", ColumnType.TIMESTAMP),
            Column.of("ok", ColumnType.BOOL));

    @TempDir
    Path temp;

    private static TableBatch batch() {
        TableBatch batch = TableBatch.of(COLUMNS, 3);
        batch.rows(3);
        for (int row = 0; row < 3; row++) {
            batch.values(0).setLong(row, Long.MIN_VALUE + row);
            batch.values(4).setBoolean(row, row == 1);
        }
        batch.values(1).setString(0, "a,\"b\"\n");
        batch.values(2).setFloat(0, 0.1f);
        batch.values(3).setLong(0, 1);
        batch.values(1).setString(1, "");
        batch.values(2).setFloat(1, Float.NaN);
        batch.values(3).setLong(1, -1_000_000);
        batch.values(1).setNull(2);
        batch.values(2).setNull(2);
        batch.values(3).setNull(2);
        return batch;
    }

    private Path write(String name) throws IOException {
        Path file = temp.resolve(name);
        try (TableWriter writer = TableWriter.create(file, COLUMNS)) {
            writer.append(batch());
            writer.finish();
        }
        return file;
    }

    @Test
    void shouldWriteSeparatedValues() throws IOException {
        assertThat(write("t.csv")).hasContent("""
            id,"name, ""full""\",score,at,ok
            -9223372036854775808,"a,""b""
            ",0.1,1970-01-01T00:00:00.000001Z,false
            -9223372036854775807,"",NaN,1969-12-31T23:59:59Z,true
            -9223372036854775806,,,,false
            """);
    }

    @Test
    void shouldWriteObjectsInLines() throws IOException {
        assertThat(write("t.jsonl")).hasContent("""
            {"id":-9223372036854775808,"name, \\"full\\"":"a,\\"b\\"\\u000a","score":0.1,\
            "at":"1970-01-01T00:00:00.000001Z","ok":false}
            {"id":-9223372036854775807,"name, \\"full\\"":"","score":NaN,"at":"1969-12-31T23:59:59Z","ok":true}
            {"id":-9223372036854775806,"name, \\"full\\"":null,"score":null,"at":null,"ok":false}
            """);
    }

    @Test
    void shouldLeaveNothingBehindWhenNotFinished() throws IOException {
        for (String name : List.of("t.csv", "t.jsonl", "t.parquet")) {
            Path file = Files.writeString(temp.resolve(name), "before");
            try (TableWriter writer = TableWriter.create(file, COLUMNS)) {
                writer.append(batch());
            }
            assertThat(file).hasContent("before");
        }
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).hasSize(3);
        }
    }

    @Test
    void shouldReplaceTheFileWhenFinished() throws IOException {
        Files.writeString(temp.resolve("t.csv"), "before");

        assertThat(write("t.csv")).content().startsWith("id,");
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).hasSize(1);
        }
    }

    /// Several row groups, of which each is whole.
    @Test
    void shouldWriteRowGroupsOfBoundedSize() throws IOException {
        Path file = temp.resolve("groups.parquet");
        List<Column> columns = List.of(Column.of("text", ColumnType.STRING));
        TableBatch batch = TableBatch.of(columns, 500);
        batch.rows(500);
        for (int row = 0; row < 500; row++) {
            batch.values(0).setString(row, "x".repeat(4_000) + row);
        }
        try (TableWriter writer = TableWriter.create(file, columns)) {
            for (int i = 0; i < 40; i++) {
                writer.append(batch);
            }
            writer.finish();
        }

        long rows = 0;
        TableBatch read = TableBatch.of(columns, 500);
        try (TableReader reader = TableFile.open(file).read(columns, false)) {
            while (reader.next(read)) {
                assertThat(read.values(0).getString(499))
                        .isEqualTo(batch.values(0).getString(499));
                rows += read.rows();
            }
        }
        assertThat(rows).isEqualTo(20_000);
        assertThat(Files.size(file)).isGreaterThan(2 * (32L << 20));
    }

    @Test
    void shouldRefuseWhatCannotBeWritten() throws IOException {
        List<Column> columns = List.of(Column.of("a", ColumnType.INT32));
        assertThatExceptionOfType(InvalidDataException.class)
                .isThrownBy(() -> TableWriter.create(temp.resolve("t.xml"), columns))
                .withMessageContaining("expected .csv, .tsv, .jsonl, .ndjson, .json or .parquet");
        assertThatExceptionOfType(InvalidDataException.class)
                .isThrownBy(() -> TableWriter.create(temp.resolve("t.csv.gz"), columns));
        assertThatThrownBy(() -> TableWriter.create(temp.resolve("none").resolve("t.csv"), columns))
                .isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> TableWriter.create(temp.resolve("t.csv"), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> TableWriter.create(
                        temp.resolve("t.csv"), List.of(columns.getFirst(), Column.of("a", ColumnType.BOOL))))
                .hasMessage("two columns are called 'a'");
        try (TableWriter writer = TableWriter.create(temp.resolve("t.csv"), columns)) {
            TableBatch missing = TableBatch.of(columns, 1);
            missing.rows(1);
            missing.values(0).setNull(0);
            assertThatThrownBy(() -> writer.append(missing))
                    .hasMessage("column 'a': no value came, expected an integer (INT32)");
            TableBatch other = TableBatch.of(List.of(Column.of("a", ColumnType.INT64)), 1);
            assertThatThrownBy(() -> writer.append(other)).hasMessage("column 'a': INT64 came, expected INT32");
        }
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).isEmpty();
        }
    }
}
