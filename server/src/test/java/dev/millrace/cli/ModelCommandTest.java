// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.JsonTree;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace model` as it is called.
class ModelCommandTest {
    private static final Path FRAUD = Path.of("../models/zoo/fraud/1/model.onnx");

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run inspect(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("model", "inspect"));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    @Test
    void shouldTellWhatAModelIs() {
        Run run = inspect(FRAUD);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains(
                        "input         features FLOAT [batch, 22]\noutput        score FLOAT [batch, 1]\n",
                        "open          batch: features[0], score[0]\n",
                        "batching      ROWS: rows run together gave the answers they gave alone\n",
                        "operations    7,214 per row\n",
                        "parameters    3,629 FLOAT in 8 tensors, 14,516 bytes\n",
                        "operators     8: Gemm 3, Relu 2, Mul 1, Sigmoid 1, Sub 1\n",
                        "not on CUDA   none: ONNX Runtime 1.29.0 has kernels for all operators");
        assertThat(run.out().lines()).allMatch(line -> line.length() < 120);
    }

    @Test
    void shouldTellTheSameAsJson() {
        Run run = inspect("--json", FRAUD);

        assertThat(run.code()).as(run.toString()).isZero();
        JsonTree report = JsonTree.parse(run.out());
        assertThat(report.get("inputs").elements().get(0).get("name").text()).isEqualTo("features");
        assertThat(report.get("inputs").elements().get(0).get("shape").toString())
                .isEqualTo("[-1, 22]");
        assertThat(report.get("inputs")
                        .elements()
                        .get(0)
                        .get("dimension_names")
                        .elements()
                        .get(0)
                        .text())
                .isEqualTo("batch");
        assertThat(report.get("batching").get("kind").text()).isEqualTo("ROWS");
        assertThat(report.get("operations").get("per_row").toString()).isEqualTo("7214");
        assertThat(report.get("parameters").elements().get(0).get("bytes").toString())
                .isEqualTo("14516");
        assertThat(report.get("operators").get("Gemm").toString()).isEqualTo("3");
        assertThat(report.get("metadata").get("license").text()).isEqualTo("Apache-2.0");
        assertThat(report.get("not_on_cuda").get("onnxruntime").text()).isEqualTo("1.29.0");
    }

    @Test
    void shouldNotRunTheModelWhenAskedNotTo() {
        Run run = inspect("--no-run", FRAUD);

        assertThat(run.code()).isZero();
        assertThat(run.out())
                .contains(
                        "batching      UNKNOWN: the declared shapes allow rows to run together, but it was not run\n");
    }

    @Test
    void shouldTellWhatTheFileAloneTellsOfItsRows() {
        Path models = Path.of("../models/src/test/resources/models");

        assertThat(inspect("--no-run", models.resolve("one_row.onnx")).out())
                .contains("batching      ONE_ROW: the leading dimension is fixed to 1\n");
        assertThat(inspect("--no-run", models.resolve("fixed_batch_of_two.onnx"))
                        .out())
                .contains("batching      NONE: input 'x' has no variable leading dimension");
    }

    @Test
    void shouldTellTheRestWhenAModelCannotBeRun() throws IOException {
        byte[] model = Files.readAllBytes(FRAUD);
        String text = new String(model, StandardCharsets.ISO_8859_1).replace("Sigmoid", "Sigmund");
        Path file = Files.write(temp.resolve("model.onnx"), text.getBytes(StandardCharsets.ISO_8859_1));

        Run run = inspect(file);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out().replaceAll("\\s+", " "))
                .contains("batching UNKNOWN: it could not be run: ", "Sigmund", "not on CUDA Sigmund no kernel")
                .contains("operations at least ", "not counted: Sigmund 1");
    }

    @Test
    void shouldTellWhetherRowsShareRunsWhenGoldensBesideTheFileAreOff() throws IOException {
        Path file = Files.copy(FRAUD, temp.resolve("model.onnx"));
        Path goldens = Files.createDirectories(temp.resolve("goldens"));
        Files.writeString(goldens.resolve("lonely.request.json"), "{}");

        Run run = inspect(file);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("batching      ROWS: rows run together gave the answers they gave alone\n");
    }

    @Test
    void shouldCutWhatAFileSaysWhenNobodyWouldReadIt() throws IOException {
        String doc = "word, ".repeat(5_000_000 / 6) + "\uD83D\uDE00".repeat(1000);
        Path file = said(doc);

        Run run = inspect("--no-run", file);

        assertThat(run.code()).as(run.err()).isZero();
        String shown = run.out()
                .lines()
                .dropWhile(line -> !line.startsWith("says"))
                .takeWhile(line -> line.startsWith("says") || line.startsWith(" "))
                .map(line -> line.substring(14))
                .collect(Collectors.joining());
        assertThat(shown.replace(" ", ""))
                .isEqualTo((doc.substring(0, 10_000) + "...and4,991,998charactersmore").replace(" ", ""));
        assertThat(run.out().lines()).allMatch(line -> line.length() < 120);
        assertThat(JsonTree.parse(inspect("--no-run", "--json", file).out())
                        .get("doc")
                        .text())
                .isEqualTo(doc);
    }

    @Test
    void shouldBreakWhatHasNoSpacesWhereLinesEndAndNoCharacterInTwo() throws IOException {
        Run run = inspect("--no-run", said("a" + "\uD83D\uDE00".repeat(100)));

        assertThat(run.out())
                .contains("says          a" + "\uD83D\uDE00".repeat(49) + "\n" + " ".repeat(14)
                        + "\uD83D\uDE00".repeat(50) + "\n" + " ".repeat(14) + "\uD83D\uDE00\n");
    }

    /// The example model, of which its maker says this.
    private Path said(String doc) throws IOException {
        byte[] text = doc.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream model = new ByteArrayOutputStream();
        model.writeBytes(Files.readAllBytes(FRAUD));
        // Field 6, and its length.
        model.write((6 << 3) | 2);
        int rest = text.length;
        while (rest > 0x7F) {
            model.write((rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        model.write(rest);
        model.writeBytes(text);
        return Files.write(temp.resolve("model.onnx"), model.toByteArray());
    }

    @Test
    void shouldFailWithOneLineWhenAFileIsNoModel() throws IOException {
        Path cut = Files.write(temp.resolve("cut.onnx"), Arrays.copyOf(Files.readAllBytes(FRAUD), 9000));

        assertThat(inspect(temp.resolve("none.onnx")))
                .isEqualTo(new Run(1, "", "millrace: " + temp.resolve("none.onnx") + ": there is no such file\n"));
        Run run = inspect("--json", cut);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .startsWith(
                        "millrace: " + cut + ": the file is cut off: it ends at byte 9000, expected its graph to end")
                .hasLineCount(1);
        assertThat(inspect(temp).code()).isEqualTo(1);
    }

    @Test
    void shouldPrintNothingThatMovesTheCursor() throws IOException {
        String model = Files.readString(FRAUD, StandardCharsets.ISO_8859_1);
        String harmful = model.replace("Trained on simulated", "\u001b[2J\r\n\u0007 on simulated");
        assertThat(harmful).hasSameSizeAs(model).isNotEqualTo(model);
        Path file = Files.writeString(temp.resolve("model.onnx"), harmful, StandardCharsets.ISO_8859_1);

        Run run = inspect("--no-run", file);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("[2J on simulated").doesNotContain("\u001b", "\u0007", "\r");
        assertThat(JsonTree.parse(inspect("--no-run", "--json", file).out())
                        .get("doc")
                        .text())
                .contains("\u001b[2J\r\n\u0007 on simulated");
    }

    @Test
    void shouldComplainWhenCalledWrongly() {
        assertThat(inspect().code()).isEqualTo(2);
        assertThat(inspect("--trial-timeout", "0", FRAUD).code()).isEqualTo(2);
        StringWriter err = new StringWriter();
        assertThat(Main.run(new PrintWriter(new StringWriter()), new PrintWriter(err), "model"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("what is to be done with a model? There are: inspect");
    }
}
