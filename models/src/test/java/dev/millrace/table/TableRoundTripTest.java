// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever is written is read as the same values, bit by bit. What reads Parquet here is another
/// implementation.
class TableRoundTripTest {
    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(strings = {"t.csv", "t.tsv", "t.jsonl", "t.json", "t.parquet"})
    void shouldReadWhatWasWritten(String name) throws IOException {
        int seeds = name.endsWith("parquet") ? 25 : 100;
        for (int seed = 0; seed < seeds; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<Column> columns = RandomTables.columns(random);
            Path file = temp.resolve(name);
            List<String> written = write(file, columns, random, random.nextInt(4), 40);
            if (written.isEmpty() && name.startsWith("t.js")) {
                continue; // nothing says what the columns are
            }

            assertThat(read(file, columns, random.nextInt(1, 50)))
                    .as("seed %d, %s", seed, columns)
                    .isEqualTo(written);
        }
    }

    @Test
    void shouldReadColumnsInAnyOrderAndOnlySome() throws IOException {
        for (int seed = 0; seed < 15; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<Column> columns = RandomTables.columns(random);
            List<Column> some = new ArrayList<>(columns);
            Collections.shuffle(some, new Random(seed));
            some = some.subList(0, random.nextInt(1, some.size() + 1));
            TableBatch batch = RandomTables.fill(TableBatch.of(columns, 30), random);
            List<ColumnValues> chosen = new ArrayList<>();
            some.forEach(column -> chosen.add(batch.values(columns.indexOf(column))));
            TableBatch expected = TableBatch.of(some, chosen);
            expected.rows(30);
            for (String name : List.of("s.csv", "s.jsonl", "s.parquet")) {
                Path file = temp.resolve(name);
                try (TableWriter writer = TableWriter.create(file, columns)) {
                    writer.append(batch);
                    writer.finish();
                }

                assertThat(read(file, some, 7)).as("seed %d, %s", seed, name).isEqualTo(RandomTables.rows(expected));
            }
        }
    }

    /// Larger than a page of Parquet, a buffer of text, and what tells the types.
    @ParameterizedTest
    @ValueSource(strings = {"l.csv", "l.jsonl", "l.parquet"})
    void shouldReadWhatIsLargerThanAnyBuffer(String name) throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        List<Column> columns = new ArrayList<>();
        for (ColumnType type : ColumnType.values()) {
            columns.add(Column.nullable("n" + type, type));
            columns.add(Column.of("r" + type, type));
        }
        Path file = temp.resolve(name);

        List<String> written = write(file, columns, random, 6, 4_000);

        assertThat(written).hasSize(24_000);
        assertThat(read(file, columns, 4_096).equals(written)).isTrue();
        assertThat(TableFile.open(file).rows()).isEqualTo(name.endsWith("parquet") ? 24_000 : -1);
    }

    @Test
    void shouldSayWhatTypesTheColumnsOfParquetHave() throws IOException {
        List<Column> columns = new ArrayList<>();
        for (ColumnType type : ColumnType.values()) {
            columns.add(Column.nullable("n" + type, type));
            columns.add(Column.of("r" + type, type));
        }
        Path file = temp.resolve("types.parquet");
        write(file, columns, new SplittableRandom(1), 0, 1);

        assertThat(TableFile.open(file).columns()).isEqualTo(columns);
    }

    private static List<String> write(Path file, List<Column> columns, SplittableRandom random, int batches, int rows)
            throws IOException {
        List<String> written = new ArrayList<>();
        try (TableWriter writer = TableWriter.create(file, columns)) {
            TableBatch batch = TableBatch.of(columns, rows);
            for (int i = 0; i < batches; i++) {
                RandomTables.fill(batch, random);
                batch.rows(rows == 40 ? random.nextInt(rows + 1) : rows);
                writer.append(batch);
                written.addAll(RandomTables.rows(batch));
            }
            assertThat(writer.rows()).isEqualTo(written.size());
            writer.finish();
        }
        return written;
    }

    private static List<String> read(Path file, List<Column> columns, int rows) throws IOException {
        List<String> read = new ArrayList<>();
        TableBatch batch = TableBatch.of(columns, rows);
        try (TableReader reader = TableFile.open(file).read(columns, false)) {
            while (reader.next(batch)) {
                for (int row = 0; row < batch.rows(); row++) {
                    assertThat(batch.problem(row)).isNull();
                }
                read.addAll(RandomTables.rows(batch));
            }
            assertThat(batch.rows()).isZero();
            assertThat(reader.progress()).isEqualTo(1);
        }
        return read;
    }
}
