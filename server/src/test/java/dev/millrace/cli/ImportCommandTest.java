// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace model import` as it is called.
class ImportCommandTest {
    private static final Path DUMPS = Path.of("../models/src/test/resources/trees");

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run model(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("model"));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    private Path dump(String name) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(DUMPS.resolve(name + ".gz")))) {
            return Files.write(temp.resolve(name), in.readAllBytes());
        }
    }

    @Test
    void shouldImportWhatLightGbmSaved() throws IOException {
        Path out = temp.resolve("model.onnx");

        Run run = model("import", "--lightgbm", dump("lightgbm-rf.txt"), out);

        assertThat(run)
                .isEqualTo(new Run(
                        0,
                        out + ": x FLOAT [batch, 12] -> label INT64 [batch], probabilities FLOAT [batch, 2],"
                                + " objective binary sigmoid:1\n",
                        ""));
        Run inspected = model("inspect", out);
        assertThat(inspected.code()).as(inspected.toString()).isZero();
        assertThat(inspected.out())
                .contains(
                        "input         x FLOAT [batch, 12]\noutput        label INT64 [batch]\n",
                        "opsets        ai.onnx 17, ai.onnx.ml 3\n",
                        "metadata      imported_from: LightGBM\n",
                        "batching      ROWS: rows run together gave the answers they gave alone\n");
    }

    @Test
    void shouldImportWhatXgboostSaved() throws IOException {
        Path out = temp.resolve("model.onnx");

        Run run = model(
                "import", "--xgboost", dump("xgboost3-multiclass.json"), "--input", "features", "--raw-score", out);

        assertThat(run)
                .isEqualTo(new Run(
                        0, out + ": features FLOAT [batch, 12] -> y FLOAT [batch, 3], objective multi:softprob\n", ""));
    }

    @Test
    void shouldFailWithOneLineAndWriteNothingWhenItIsNoDump() throws IOException {
        Path dump = Files.writeString(temp.resolve("model.json"), "[{\"nodeid\": 0}]");
        Path out = temp.resolve("model.onnx");

        Run run = model("import", "--xgboost", dump, out);

        assertThat(run)
                .isEqualTo(new Run(
                        1,
                        "",
                        "millrace: " + dump
                                + ": it begins with '[{\"nodei', expected '{', as XGBoost's save_model writes"
                                + " to a name in .json\n"));
        assertThat(model("import", "--lightgbm", temp.resolve("none.txt"), out))
                .isEqualTo(new Run(1, "", "millrace: " + temp.resolve("none.txt") + ": there is no such file\n"));
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files).containsExactly(dump);
        }
    }

    @Test
    void shouldFailWhenTheModelCannotBeWritten() throws IOException {
        Path out = temp.resolve("none/model.onnx");

        Run run = model("import", "--lightgbm", dump("lightgbm-rf.txt"), out);

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .startsWith("millrace: " + out + ": it cannot be written: ")
                .hasLineCount(1);
    }

    @Test
    void shouldComplainWhenCalledWrongly() {
        assertThat(model("import", "out.onnx").code()).isEqualTo(2);
        assertThat(model("import", "--lightgbm", "a", "--xgboost", "b", "out.onnx")
                        .code())
                .isEqualTo(2);
        assertThat(model("import", "--lightgbm", "a", "--input", "label", "out.onnx"))
                .satisfies(run -> assertThat(run.code()).isEqualTo(2))
                .satisfies(run -> assertThat(run.err()).contains("--input: the input cannot be called 'label'"));
        assertThat(model("import", "--help").out()).contains("--lightgbm=FILE", "--xgboost=FILE", "--raw-score");
    }
}
