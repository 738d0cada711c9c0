// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Rows of files as texts.
class RecordsTest {
    @TempDir
    Path temp;

    private static List<String> read(Path file, String... columns) throws IOException {
        List<String> rows = new ArrayList<>();
        String[] values = new String[columns.length];
        try (Records records = Records.open(file, List.of(columns))) {
            while (records.next(values)) {
                rows.add(records.place() + " " + Arrays.toString(values));
            }
        }
        return rows;
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    @Test
    void shouldReadColumnsInTheOrderThatIsAskedFor() throws IOException {
        assertThat(read(write("a.csv", "a,b,c\n1,\"x, y\",\n,2,3\n"), "c", "a", "b"))
                .containsExactly("line 2 [null, 1, x, y]", "line 3 [3, null, 2]");
        assertThat(read(write("a.tsv", "a\tb\n1\t2\n"), "b", "b")).containsExactly("line 2 [2, 2]");
        Path packed = temp.resolve("a.csv.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write("a\nü\n".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(read(packed, "a")).containsExactly("line 2 [ü]");
    }

    @Test
    void shouldReadObjectsOfJson() throws IOException {
        Path file = write("a.jsonl", """
            {"a": 1.50, "b": "x\\ny", "more": {"a": [2]}}

            {"b": null}
            {"a": true}
            """);

        assertThat(read(file, "a", "b"))
                .containsExactly("line 1 [1.50, x\ny]", "line 3 [null, null]", "line 4 [true, null]");
    }

    private Path parquet(String name) throws IOException {
        try (InputStream in = RecordsTest.class.getResourceAsStream("/dataset/" + name + ".parquet")) {
            return Files.write(temp.resolve(name + ".parquet"), in.readAllBytes());
        }
    }

    @Test
    void shouldReadPointsInTimeOfParquetInAnyUnit() throws IOException {
        assertThat(read(parquet("times"), "t_us", "t_tz", "t_ms"))
                .containsExactly(
                        "row 1 [2026-01-31T12:00:00.000001Z, 2026-01-31T12:00:00Z, 1960-01-01T00:00:00.500Z]",
                        "row 2 [2026-01-31T13:00:00.000001Z, 2026-01-31T13:00:00Z, null]",
                        "row 3 [2026-01-31T14:00:00.000001Z, 2026-01-31T14:00:00Z, 1960-01-01T00:00:00.500Z]");
    }

    @Test
    void shouldReadColumnsOfParquet() throws IOException {
        Path file = parquet("snappy");

        List<String> rows = read(file, "s", "flag", "l", "x_0", "gap", "u", "money");

        assertThat(rows).hasSize(7);
        assertThat(rows.get(2))
                .isEqualTo("row 3 [text 2 ü, true, 20000000000, " + (double) (float) (2 / 3.0) + ", null, 253, 2.50]");
        assertThat(rows.get(3)).startsWith("row 4 [null, false, 30000000000, 1.0, 3.0, ");
    }

    @Test
    void shouldSayWhatIsWrong() throws IOException {
        Path csv = write("a.csv", "a,b,b\n1,2\n");
        assertThatThrownBy(() -> read(csv, "a", "d")).hasMessage(csv + ": there is no column 'd', but a, b, b");
        assertThatThrownBy(() -> read(csv, "b")).hasMessage(csv + ": two columns are called 'b'");
        assertThatThrownBy(() -> read(csv, "a"))
                .hasMessage(csv + ": line 2: 2 fields came, expected 3 as the first line has");
        Path json = write("b.jsonl", "{\"a\": [1]}\n");
        assertThatThrownBy(() -> read(json, "a"))
                .isInstanceOf(InvalidDataException.class)
                .hasMessage(json + ": line 1: 'a' is nested, expected a number, a truth value or a text");
        assertThat(read(json, "b")).containsExactly("line 1 [null]");
        Path broken = write("c.jsonl", "{\"a\": 1\n");
        assertThatThrownBy(() -> read(broken, "a")).hasMessageStartingWith(broken + ": line 1: at character 8: ");
        Path other = write("a.txt", "");
        assertThatThrownBy(() -> read(other, "a")).hasMessageContaining("its name does not tell what it is");
        Path days = parquet("snappy");
        assertThatThrownBy(() -> read(days, "day"))
                .hasMessageStartingWith(days + ": column 'day' is ")
                .hasMessageEndingWith("expected numbers, truth values, texts or points in time");
        Path no = write("no.parquet", "no");
        assertThatThrownBy(() -> read(no, "a")).hasMessageContaining("it is no Parquet file, or damaged");
        assertThatThrownBy(() -> read(temp.resolve("none.csv"), "a")).isInstanceOf(NoSuchFileException.class);
    }
}
