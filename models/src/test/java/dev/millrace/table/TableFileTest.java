// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.dataset.InvalidDataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What files say, and what is wrong with them.
class TableFileTest {
    @TempDir
    Path temp;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    @Test
    void shouldTellTypesByTheFirstRows() throws IOException {
        Path file = file("t.csv", """
            id,count,score,ok,at,zip,big,empty,mixed,nan
            a,1,0.5,true,2026-01-31T12:00:00Z,01234,12345678901234567890,,1,NaN
            b,-7,1e3,false,2026-01-31T12:00:00+02:00,99999,1,,x,0.25
            c,,,,,,,,,
            """);

        assertThat(TableFile.open(file).columns())
                .extracting(Column::type)
                .containsExactly(
                        ColumnType.STRING,
                        ColumnType.INT64,
                        ColumnType.FLOAT64,
                        ColumnType.BOOL,
                        ColumnType.TIMESTAMP,
                        ColumnType.STRING,
                        ColumnType.STRING,
                        ColumnType.STRING,
                        ColumnType.STRING,
                        ColumnType.FLOAT64);
    }

    @Test
    void shouldTellTypesOfFieldsByTheFirstObjects() throws IOException {
        Path file = file("t.jsonl", """
            {"id": "7", "count": 1, "score": 1, "list": [1, {"a": "]"}], "ok": null}

            {"score": 0.5, "ok": true, "late": "2026-01-31T12:00:00Z", "o": {}}
            """);
        TableFile table = TableFile.open(file);

        assertThat(table.columns())
                .containsExactly(
                        Column.nullable("id", ColumnType.STRING),
                        Column.nullable("count", ColumnType.INT64),
                        Column.nullable("score", ColumnType.FLOAT64),
                        Column.nullable("ok", ColumnType.BOOL),
                        Column.nullable("late", ColumnType.TIMESTAMP));
        assertThatExceptionOfType(InvalidDataException.class)
                .isThrownBy(() -> table.column("list"))
                .withMessage(file + ": column 'list' is an array, expected numbers, truth values, texts or times");
        assertThatExceptionOfType(InvalidDataException.class)
                .isThrownBy(() -> table.read(List.of(Column.of("none", ColumnType.BOOL)), true))
                .withMessage(file + ": there is no column 'none'; there are id, count, score, ok, late");
    }

    @Test
    void shouldSayWhatIsWrongWithARowAndGoOn() throws IOException {
        Path file = file("t.csv", "a,b\n1,2\nx,3\n4\n5,6,7\n,8\n9,3000000000\n\"1\n0\",1\n1,1\n");
        List<Column> columns = List.of(Column.of("b", ColumnType.INT32), Column.of("a", ColumnType.FLOAT32));

        assertThat(problems(file, columns, true))
                .containsExactly(
                        null,
                        "line 3, column 'a': 'x' came, expected a number (FLOAT32)",
                        "line 4: 1 fields came, expected 2 as the first line has",
                        "line 5: 3 fields came, expected 2 as the first line has",
                        "line 6, column 'a': nothing came, expected a number (FLOAT32)",
                        "line 7, column 'b': '3000000000' came, expected an integer (INT32)",
                        "line 8, column 'a': '1\n0' came, expected a number (FLOAT32)",
                        null);
    }

    @Test
    void shouldSayWhatIsWrongWithAnObjectAndGoOn() throws IOException {
        Path file = file("t.jsonl", """
            {"a": 1, "b": true}
            {"b": true, "x": {"a": [1, 2]}}
            {"a": "1", "b": false}
            {"a": 1, "a": 2, "b": false}
            {"a": 1, "b": 1e400}
            {"a": [1], "b": true}
            {"a": 1, "b": true
            [1]
            {"a": null, "b": true} x
            {"a": NaN, "b": 1}
            """);
        List<Column> columns = List.of(Column.nullable("a", ColumnType.FLOAT64), Column.of("b", ColumnType.BOOL));

        assertThat(problems(file, columns, false))
                .containsExactly(
                        null,
                        "line 2, field 'a': it is missing, expected a number (FLOAT64)",
                        "line 3, field 'a': '\"1\"' came, expected a number (FLOAT64)",
                        "line 4, field 'a': it came twice",
                        "line 5, field 'b': '1e400' came, expected true or false",
                        "line 6, field 'a': '[1]' came, expected a number (FLOAT64)",
                        "line 7: it is no JSON: at character 19: expected ',' or '}', came the end",
                        "line 8: it is no JSON: at character 1: expected an object, came '['",
                        "line 9: it is no JSON: at character 24: expected the end of the line, came 'x'",
                        null);
        assertThat(problems(file, columns, true).get(1)).isNull();
    }

    private static List<String> problems(Path file, List<Column> columns, boolean absent) throws IOException {
        List<String> problems = new ArrayList<>();
        TableBatch batch = TableBatch.of(columns, 3);
        try (TableReader reader = TableFile.open(file).read(columns, absent)) {
            while (reader.next(batch)) {
                for (int row = 0; row < batch.rows(); row++) {
                    problems.add(batch.problem(row));
                }
            }
        }
        return problems;
    }

    @Test
    void shouldReadAColumnAsSeveralTypes() throws IOException {
        List<Column> columns = List.of(
                Column.nullable("a", ColumnType.STRING),
                Column.nullable("b", ColumnType.INT64),
                Column.nullable("a", ColumnType.FLOAT32),
                Column.nullable("a", ColumnType.FLOAT64));
        for (Path file : List.of(
                file("t.csv", "b,a\n7,0.10\n8,\n"), file("t.json", "{\"b\":7,\"a\":0.10}\n{\"a\":null,\"b\":8}"))) {
            TableBatch batch = TableBatch.of(columns, 2);
            try (TableReader reader = TableFile.open(file).read(columns, false)) {
                assertThat(reader.next(batch)).isTrue();
            }

            assertThat(RandomTables.rows(batch))
                    .as(file.toString())
                    .containsExactly(
                            "'0.10' 7 " + Integer.toHexString(Float.floatToIntBits(0.1f)) + " "
                                    + Long.toHexString(Double.doubleToLongBits(0.1)) + " ",
                            "null 8 null null ");
        }
    }

    /// All ends of lines, in all places of a small buffer's worth of text, mean the same.
    @Test
    void shouldReadAnyEndOfLines() throws IOException {
        List<Column> columns =
                List.of(Column.nullable("a", ColumnType.STRING), Column.nullable("b", ColumnType.STRING));
        String text = "\uFEFFa,b\n1,\"x\"\"y\"\n\n\"\",\n" + "v".repeat(70_000) + ",w";
        String read = null;
        for (String end : List.of("\n", "\r\n", "\r")) {
            Path file = file("t.csv", text.replace("\n", end));
            TableBatch batch = TableBatch.of(columns, 9);
            try (TableReader reader = TableFile.open(file).read(columns, false)) {
                assertThat(reader.next(batch)).isTrue();
                assertThat(batch.rows()).isEqualTo(3);
                assertThat(batch.place(2)).isEqualTo("line 5");
            }
            String rows = RandomTables.rows(batch).toString();
            assertThat(rows).startsWith("['1' 'x\"y' , '' null , 'vvv").endsWith("v' 'w' ]");
            assertThat(read == null ? rows : read).isEqualTo(rows);
            read = rows;
        }
    }

    @Test
    void shouldReadWhatIsCompressed() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write("a\n1\n2\n".getBytes(StandardCharsets.UTF_8));
        }
        Path file = Files.write(temp.resolve("t.csv.gz"), bytes.toByteArray());
        List<Column> columns = TableFile.open(file).columns();
        TableBatch batch = TableBatch.of(columns, 5);
        try (TableReader reader = TableFile.open(file).read(columns, false)) {
            reader.next(batch);
        }

        assertThat(RandomTables.rows(batch)).containsExactly("1 ", "2 ");
    }

    @Test
    void shouldRefuseWhatHasNoTable() throws IOException {
        refused(file("t.txt", "a"), "its name does not tell what it is");
        refused(file("t.csv", ""), "it is empty, expected the names of columns in the first line");
        refused(file("t.csv", "1,2\n"), "line 1: numbers came, expected the names of columns");
        refused(file("t.csv", "a,b,a\n"), "two columns are called 'a'");
        refused(file("t.csv", "a\n\"x\n"), "line 2: field 1 begins with a quote that has no end");
        refused(file("t.csv", "a\n\"x\"y\n"), "line 2: 'y' came behind the quotes of field 1");
        refused(Files.write(temp.resolve("t.csv"), new byte[] {'a', '\n', (byte) 0xFF}), "is not UTF-8");
        refused(file("t.csv.gz", "a\n"), "it is not compressed by gzip, as its name says");
        refused(file("t.jsonl", "\n"), "it is empty, expected an object of named values in each line");
        refused(file("t.jsonl", "{\"a\""), "line 1: it is no JSON: at character 5: expected ':', came the end");
        refused(file("t.jsonl", "{\"inputs\":[]}"), "it has requests of the Open Inference Protocol");
        refused(file("t.parquet", "PAR1PAR1"), "it is no Parquet file, or damaged");
        assertThatThrownBy(() -> TableFile.open(temp.resolve("none.csv"))).isInstanceOf(NoSuchFileException.class);
    }

    private static void refused(Path file, String why) {
        assertThatExceptionOfType(InvalidDataException.class)
                .isThrownBy(() -> TableFile.open(file))
                .withMessageStartingWith(file + ": ")
                .withMessageContaining(why);
    }
}
