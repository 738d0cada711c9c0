// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.TensorValues;
import dev.millrace.server.JsonTree;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace model compare` and `card` as they are called.
class CompareCommandTest {
    private static final Path FRAUD = Path.of("../models/zoo/fraud/1/model.onnx");

    @TempDir
    Path temp;

    private Path data;
    private Path other;

    private record Run(int code, String out, String err) {}

    private static Run compare(Object... arguments) {
        return run("compare", arguments);
    }

    private static Run run(String command, Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("model", command));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    /// A hundred rows of numbers, and the example model with constants of fewer digits.
    @BeforeEach
    void write() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        String header = IntStream.range(0, 22).mapToObj(i -> "features_" + i).collect(Collectors.joining(","));
        StringBuilder text = new StringBuilder(header + ",fraud\n");
        for (int row = 0; row < 100; row++) {
            for (int column = 0; column < 22; column++) {
                text.append((float) random.nextDouble(0, 4)).append(',');
            }
            text.append(random.nextInt(2)).append('\n');
        }
        data = Files.writeString(temp.resolve("data.csv"), text);
        other = temp.resolve("other.onnx");
        try (OnnxFile model = OnnxFile.open(FRAUD)) {
            List<OnnxTensor> rounded = new ArrayList<>();
            for (OnnxTensor tensor : model.graph().initializers()) {
                float[] values = TensorValues.floats(model, tensor);
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xFFFF0000);
                }
                rounded.add(OnnxTensor.ofFloats(tensor.name(), tensor.dims(), values));
            }
            model.graph().setInitializers(rounded);
            model.write(other);
        }
    }

    @Test
    void shouldTellWhatChanges() {
        Run run = compare(FRAUD, other, "--data", data, "--labels", "fraud", "--batch", "0");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains("before      " + FRAUD, "after       " + other, "rows        100\n")
                .contains("decisions   'score', 0.5 or more: ")
                .containsPattern("difference +values +unequal +max +mean +50 % +90 % +99 % +99.9 %\n")
                .containsPattern("score +100 +[1-9]\\d +\\S+ +\\S+ +\\S+ +\\S+ +\\S+ +\\S+\n")
                .containsPattern("bytes +16,149 +16,\\d{3} +x 1.0\\d\n")
                .containsPattern("accuracy +0\\.\\d{4} +0\\.\\d{4} +[-+]0\\.\\d{4}\n")
                .containsPattern("AUC +0\\.\\d{4} +0\\.\\d{4} +[-+]0\\.\\d{4}\n");
    }

    @Test
    void shouldTellTheSameAsJsonWithTimes() {
        Run run = compare(
                "--json",
                FRAUD,
                other,
                "--data",
                data,
                "--labels=fraud",
                "--batch=2",
                "--gate=max-flips=0.2,max-size=1.01");

        assertThat(run.code()).as(run.toString()).isZero();
        JsonTree report = JsonTree.parse(run.out());
        assertThat(report.get("rows").toString()).isEqualTo("100");
        assertThat(report.get("before").get("bytes").toString()).isEqualTo("16149");
        assertThat(report.get("decisions").get("rule").text()).isEqualTo("threshold");
        assertThat(Double.parseDouble(
                        report.get("differences").elements().get(0).get("max").toString()))
                .isBetween(1e-6, 0.2);
        assertThat(report.get("differences").elements().get(0).get("output").text())
                .isEqualTo("score");
        JsonTree latency = report.get("latency").elements().get(0);
        assertThat(latency.get("rows").toString()).isEqualTo("2");
        assertThat(Long.parseLong(latency.get("after").get("median_ns").toString()))
                .isPositive();
        assertThat(report.get("gates").elements()).hasSize(2);
        assertThat(report.get("gates").elements().get(0).get("kept").toString()).isEqualTo("true");
    }

    @Test
    void shouldFailWhenAGateIsNotKept() {
        Run run = compare(
                FRAUD, FRAUD, "--data", data, "--batch", "0", "--gate", "max-flips=0,max-size=0.5,max-accuracy-drop=1");

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).containsPattern("max-flips +0 +0 +kept\n");
        assertThat(run.err())
                .isEqualTo("millrace: gate max-size=0.500 is 1.00: it is higher\n"
                        + "millrace: gate max-accuracy-drop=1.00: it is not known of both models, for which labels are"
                        + " needed\n");
    }

    @Test
    void shouldSayInOneLineWhatIsWrong() throws IOException {
        Path wrong = Files.writeString(temp.resolve("wrong.csv"), "a,b\n1,2\n");
        Path missing = temp.resolve("missing.onnx");
        Path broken = Files.writeString(temp.resolve("broken.onnx"), "no model");

        assertOneLine(
                compare(FRAUD, FRAUD, "--data", wrong), wrong + ": it has 2 columns for values: [a, b]; expected 22");
        assertOneLine(compare(FRAUD, missing, "--data", data), missing + ": there is no such file");
        assertOneLine(compare(FRAUD, broken, "--data", data), broken + ": ");
        assertOneLine(compare(FRAUD, FRAUD, "--data", temp.resolve("none.csv")), "none.csv: there is no such file");
        assertOneLine(
                compare(FRAUD, FRAUD, "--data", data, "--output", "class"),
                "there is no output 'class', expected one of [score]");
    }

    private static void assertOneLine(Run run, String message) {
        assertThat(run.code()).as(run.toString()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("millrace: ").contains(message);
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void shouldSayHowItIsCalledWhenCalledWrongly() {
        assertThat(compare(FRAUD, FRAUD).code()).isEqualTo(2);
        assertThat(compare(FRAUD, FRAUD, "--data", data, "--batch", "-1").code())
                .isEqualTo(2);
        Run gate = compare(FRAUD, FRAUD, "--data", data, "--gate", "max-flops=1");
        assertThat(gate.code()).isEqualTo(2);
        assertThat(gate.err()).contains("--gate: 'max-flops' came, expected one of");
    }

    @Test
    void shouldWriteACard() throws IOException {
        Path card = temp.resolve("CARD.md");

        Run run = run("card", other, "--against", FRAUD, "--data", data, "--labels=fraud", "--batch=0", "--out", card);

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out() + run.err()).isEmpty();
        assertThat(Files.readString(card))
                .contains("# Model card: fraud\n", "| compared with | model.onnx, 16,149 bytes: ")
                .contains("![ROC curve](CARD-roc.svg)");
        assertThat(temp)
                .isDirectoryContaining("glob:**/CARD-roc.svg")
                .isDirectoryContaining("glob:**/CARD-differences.svg")
                .isDirectoryContaining("glob:**/CARD-reliability.svg")
                .isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void shouldWriteNoCardWhenTheDataAreWrong() throws IOException {
        Path wrong = Files.writeString(temp.resolve("wrong.csv"), "a,b\n1,2\n");
        Path card = temp.resolve("CARD.md");

        assertOneLine(run("card", FRAUD, "--data", wrong, "--out", card), "expected 22 columns for input 'features'");
        assertOneLine(
                run("card", FRAUD, "--data", data, "--out", temp.resolve("none").resolve("CARD.md")),
                "there is no such file");
        assertThat(card).doesNotExist();
    }
}
