// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace score` as it is called.
class ScoreCommandTest {
    private static final Path ZOO = Path.of("../models/zoo");
    private static final Path MODEL = ZOO.resolve("fraud/1/model.onnx");
    private static final Path TEST = ZOO.resolve("fraud/data/test.csv");
    private static final int FEATURES = 22;

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run score(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("score"));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    /// What the library answers, row by row.
    private static List<Float> expected(List<float[]> rows) {
        List<Float> scores = new ArrayList<>();
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withStartUpModels(Set.of("fraud")), ZOO)) {
            Model fraud = millrace.model("fraud");
            for (float[] row : rows) {
                scores.add(fraud.predict(fraud.request().set("features", row)).floats("score")[0]);
            }
        }
        return scores;
    }

    private static List<float[]> features(Path csv) throws IOException {
        return Files.readAllLines(csv).stream()
                .skip(1)
                .map(line -> {
                    String[] fields = line.split(",");
                    float[] row = new float[FEATURES];
                    for (int i = 0; i < FEATURES; i++) {
                        row[i] = Float.parseFloat(fields[i]);
                    }
                    return row;
                })
                .toList();
    }

    private static List<Float> scores(Path file) throws IOException {
        List<Column> columns = List.of(Column.nullable("score", ColumnType.FLOAT32));
        List<Float> scores = new ArrayList<>();
        TableBatch batch = TableBatch.of(columns, 100);
        try (TableReader reader = TableFile.open(file).read(columns, false)) {
            while (reader.next(batch)) {
                for (int row = 0; row < batch.rows(); row++) {
                    scores.add(
                            batch.values(0).isNull(row) ? null : batch.values(0).getFloat(row));
                }
            }
        }
        return scores;
    }

    /// A table of the example model's inputs and an id, of which some may be wrong.
    private Path data(String name, int rows) throws IOException {
        List<Column> columns = new ArrayList<>();
        columns.add(Column.of("id", ColumnType.STRING));
        for (int i = 0; i < FEATURES; i++) {
            columns.add(Column.nullable("features_" + i, ColumnType.FLOAT32));
        }
        columns.add(Column.of("at", ColumnType.TIMESTAMP));
        SplittableRandom random = new SplittableRandom(3);
        TableBatch batch = TableBatch.of(columns, rows);
        batch.rows(rows);
        for (int row = 0; row < rows; row++) {
            batch.values(0).setString(row, "r," + row);
            for (int i = 1; i <= FEATURES; i++) {
                batch.values(i).setFloat(row, (float) random.nextDouble(-2, 5));
            }
            batch.values(FEATURES + 1).setLong(row, row * 1_000L);
        }
        Path file = temp.resolve(name);
        try (TableWriter writer = TableWriter.create(file, columns)) {
            writer.append(batch);
            writer.finish();
        }
        return file;
    }

    @Test
    void shouldAnswerAsTheLibraryDoesRowByRow() throws IOException {
        Path out = temp.resolve("out.csv");

        Run run = score(
                "fraud",
                "--model-repository",
                ZOO,
                "--data",
                TEST,
                "--out",
                out,
                "--version",
                "1",
                "--batch-rows",
                "7");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        List<float[]> rows = features(TEST);
        assertThat(run.out())
                .startsWith("written     " + out + "\nmodel       fraud:1\n")
                .contains("rows        " + String.format("%,d", rows.size()) + "\n")
                .containsPattern("time        \\d+\\.\\d s, [\\d,]+ rows/s; \\d+\\.\\d s to load\n");
        assertThat(scores(out)).isEqualTo(expected(rows));
    }

    @Test
    void shouldGiveTheSameAnswersWhateverTheFilesAre() throws IOException {
        List<Float> first = null;
        for (String from : List.of("in.csv", "in.jsonl", "in.parquet")) {
            Path in = data(from, 300);
            for (String to : List.of("out.csv", "out.jsonl", "out.parquet")) {
                Path out = temp.resolve(to);

                Run run = score(MODEL, "--data", in, "--out", out, "--keep", "id,at", "--batch-rows", "32");

                assertThat(run.code()).as(run.toString()).isZero();
                List<Float> scores = scores(out);
                assertThat(scores).hasSize(300);
                assertThat(first == null ? scores : first).as(from + " " + to).isEqualTo(scores);
                first = scores;
                assertThat(TableFile.open(out).columns())
                        .extracting(Column::name)
                        .containsExactly("id", "at", "score");
                assertThat(kept(out)).as(from + " " + to).isEqualTo(kept(in));
            }
        }
    }

    private static List<String> kept(Path file) throws IOException {
        List<Column> columns =
                List.of(Column.nullable("id", ColumnType.STRING), Column.nullable("at", ColumnType.TIMESTAMP));
        List<String> rows = new ArrayList<>();
        TableBatch batch = TableBatch.of(columns, 64);
        try (TableReader reader = TableFile.open(file).read(columns, false)) {
            while (reader.next(batch)) {
                for (int row = 0; row < batch.rows(); row++) {
                    rows.add(batch.values(0).getString(row) + " "
                            + batch.values(1).getLong(row));
                }
            }
        }
        return rows;
    }

    /// Batches of all sizes end in any order, on several agents.
    @Test
    void shouldKeepTheOrderWithManyOnTheWay() throws IOException {
        Path in = data("in.parquet", 5_000);
        List<Float> whole = null;
        for (int rows : List.of(5_000, 1, 33)) {
            Path out = temp.resolve("out.parquet");

            Run run = score(MODEL, "--data", in, "--out", out, "--batch-rows", rows);

            assertThat(run.code()).as(run.toString()).isZero();
            List<Float> scores = scores(out);
            assertThat(scores).hasSize(5_000);
            assertThat((whole == null ? scores : whole).equals(scores))
                    .as("%d rows", rows)
                    .isTrue();
            whole = scores;
        }
    }

    @Test
    void shouldStopAtTheFirstRowThatIsWrong() throws IOException {
        Path in = broken();
        Path out = temp.resolve("out.csv");

        Run run = score(MODEL, "--data", in, "--out", out, "--batch-rows", "2");

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .isEqualTo("millrace: " + in
                        + ": line 4, column 'features_3': 'much' came, expected a number (FLOAT32)\n");
        assertThat(out).doesNotExist();
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).as("nothing beside the data").hasSize(1);
        }
    }

    /// Of ten rows the third and the last are wrong.
    private Path broken() throws IOException {
        Path in = data("in.csv", 10);
        List<String> lines = new ArrayList<>(Files.readAllLines(in));
        String[] fields = lines.get(3).split(",");
        fields[5] = "much"; // the id has a separator
        lines.set(3, String.join(",", fields));
        lines.set(10, lines.get(10).substring(0, 40));
        return Files.write(in, lines);
    }

    @Test
    void shouldLeaveOutRowsThatAreWrongWhenAsked() throws IOException {
        Path good = data("in.csv", 10);
        Path all = temp.resolve("all.csv");
        assertThat(score(MODEL, "--data", good, "--out", all, "--keep", "id").code())
                .isZero();
        List<String> expected = new ArrayList<>(Files.readAllLines(all));
        Path in = broken();
        Path out = temp.resolve("out.csv");

        Run run = score(MODEL, "--data", in, "--out", out, "--on-error", "skip", "--keep", "id", "--batch-rows", "4");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .contains("rows        10\n")
                .contains("no answer   2 rows, first line 4, column 'features_3': 'much' came");
        expected.remove(10);
        expected.remove(3);
        assertThat(Files.readAllLines(out)).isEqualTo(expected);
    }

    @Test
    void shouldWriteNothingForRowsThatAreWrongWhenAsked() throws IOException {
        Path good = data("in.csv", 10);
        Path all = temp.resolve("all.csv");
        assertThat(score(MODEL, "--data", good, "--out", all, "--keep", "id").code())
                .isZero();
        List<String> expected = new ArrayList<>(Files.readAllLines(all));
        Path in = broken();
        expected.set(3, "\"r,2\",");
        expected.set(10, "\"r,9\",");
        Path out = temp.resolve("out.csv");

        Run run = score(MODEL, "--data", in, "--out", out, "--on-error", "null", "--keep", "id", "--batch-rows", "1");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(Files.readAllLines(out)).isEqualTo(expected);
    }

    @Test
    void shouldReadNoMoreRowsThanAsked() throws IOException {
        Path in = data("in.parquet", 100);
        Path out = temp.resolve("out.csv");

        Run run = score(MODEL, "--data", in, "--out", out, "--limit", "33", "--batch-rows", "10", "--keep", "*");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(scores(out)).hasSize(33);
        assertThat(Files.readAllLines(out).getFirst())
                .startsWith("id,features_0,")
                .endsWith(",at,score");
    }

    @Test
    void shouldTakeTheColumnsThatAreNamed() throws IOException {
        Path in = data("in.csv", 20);
        String text = Files.readString(in);
        Path renamed = Files.writeString(temp.resolve("renamed.csv"), text.replace("features_", "x"));
        Path one = temp.resolve("one.csv");
        Path other = temp.resolve("other.csv");
        Path third = temp.resolve("third.csv");
        List<String> names = new ArrayList<>();
        for (int i = 0; i < FEATURES; i++) {
            names.add("x" + i);
        }

        assertThat(score(MODEL, "--data", in, "--out", one).code()).isZero();
        assertThat(score(MODEL, "--data", renamed, "--out", other, "--ignore", "id,at")
                        .code())
                .isZero();
        assertThat(score(MODEL, "--data", renamed, "--out", third, "--inputs", String.join(",", names))
                        .code())
                .isZero();
        assertThat(Files.readString(other)).isEqualTo(Files.readString(one));
        assertThat(Files.readString(third)).isEqualTo(Files.readString(one));
        assertThat(score(MODEL, "--data", renamed, "--out", other).err())
                .contains("it has 24 columns for values")
                .contains("expected 22 columns for input 'features' of shape [-1, 22]")
                .contains("--ignore and --inputs say which columns are meant");
    }

    /// One column for each class.
    @Test
    void shouldWriteAColumnForEachElement() throws IOException {
        Path out = temp.resolve("out.jsonl");
        Path digits = ZOO.resolve("digits/data/test.csv");

        Run run = score(
                "digits",
                "--model-repository",
                ZOO,
                "--data",
                digits,
                "--out",
                out,
                "--ignore",
                "label",
                "--keep",
                "label",
                "--limit",
                "5");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(Files.readAllLines(out))
                .hasSize(5)
                .allSatisfy(
                        line -> assertThat(line).containsPattern("^\\{\"label\":\\d,\"\\w+_0\":.*,\"\\w+_9\":[^,]+}$"));
    }

    @Test
    void shouldSayWhatIsWrong() throws IOException {
        Path in = data("in.csv", 3);
        Path out = temp.resolve("out.csv");
        complains(1, "expected .csv, .tsv, .jsonl, .ndjson, .json or .parquet", MODEL, "--data", in, "--out", "o.xml");
        complains(1, "none.csv: there is no such file", MODEL, "--data", temp.resolve("none.csv"), "--out", out);
        complains(1, "none.onnx: there is no such file", temp.resolve("none.onnx"), "--data", in, "--out", out);
        complains(1, "none", "none", "--model-repository", ZOO, "--data", in, "--out", out);
        complains(2, "--version is for models of a repository", MODEL, "--data", in, "--out", out, "--version", "1");
        complains(1, "fraud", "fraud", "--model-repository", ZOO, "--version", "9", "--data", in, "--out", out);
        complains(1, "there is no column 'x'", MODEL, "--data", in, "--out", out, "--keep", "x");
        complains(2, "there is no type 'word'", MODEL, "--data", in, "--out", out, "--keep", "id:word");
        complains(2, "'id' twice", MODEL, "--data", in, "--out", out, "--keep", "id,*");
        complains(2, "--out is --data", MODEL, "--data", in, "--out", in);
        complains(2, "--batch-rows must be from 1", MODEL, "--data", in, "--out", out, "--batch-rows", "0");
        complains(2, "--limit must be at least 1", MODEL, "--data", in, "--out", out, "--limit", "0");
        complains(2, "give one of them", MODEL, "--data", in, "--out", out, "--inputs", "a", "--ignore", "b");
        complains(2, "is no folder", "m", "--data", in, "--out", out, "--model-repository", temp.resolve("none"));
        assertThat(out).doesNotExist();
    }

    private static void complains(int code, String why, Object... arguments) {
        Run run = score(arguments);
        assertThat(run.code()).as(run.toString()).isEqualTo(code);
        assertThat(run.err()).startsWith("millrace: ").contains(why).hasLineCount(1);
    }
}
