// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.Harmful;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace model quantize` as it is called.
class QuantizeCommandTest {
    private static final Path FRAUD = Path.of("../models/zoo/fraud/1/model.onnx");

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("model"));
        Arrays.stream(arguments).map(Object::toString).forEach(all::add);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    private Path data(int rows) throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        StringBuilder csv = new StringBuilder("id");
        for (int i = 0; i < 22; i++) {
            csv.append(",features_").append(i);
        }
        for (int row = 0; row < rows; row++) {
            csv.append('\n').append(row);
            for (int i = 0; i < 22; i++) {
                csv.append(',').append(String.format(Locale.ROOT, "%.3f", random.nextDouble(0, 50)));
            }
        }
        return Files.writeString(temp.resolve("data.csv"), csv + "\n");
    }

    @Test
    void shouldQuantizeWithDataOfAFile() throws IOException {
        Path out = temp.resolve("int8.onnx");

        Run run =
                run("quantize", FRAUD, out, "--calibration", data(100), "--no-reduce-range", "--method", "percentile");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains(
                        "written     " + out + "\n",
                        "quantized   Gemm 3\n",
                        "ranges      percentile of 100 rows\n",
                        "weights     8 bits\n",
                        "size        16,149 bytes before, " + String.format(Locale.ROOT, "%,d", Files.size(out)));
        Run inspected = run("inspect", out);
        assertThat(inspected.out()).contains("batching      ROWS", "millrace.quantized: static, percentile");
    }

    @Test
    void shouldSayThatRowsDependOnOthersWhenDynamic() {
        Path out = temp.resolve("int8.onnx");

        Run run = run("quantize", FRAUD, out, "--mode", "dynamic", "--reduce-range", "--exclude", "logit");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .contains(
                        "quantized   Gemm 2\n",
                        "it is excluded\n",
                        "weights     one bit is left free: it was asked for\n",
                        "mind        a row's answer depends on the rows that it is run with");
        assertThat(run("inspect", out).out()).contains("batching      NONE");
    }

    @Test
    void shouldComplainInOneLineAndWriteNothing() throws IOException {
        Path out = temp.resolve("int8.onnx");
        Path data = data(2);
        Path wrong = Files.writeString(temp.resolve("wrong.csv"), "features_0\n1\n");
        Path empty = Files.writeString(temp.resolve("empty.onnx"), "nothing");

        assertFails(run("quantize", FRAUD, out, "--calibration", wrong), "wrong.csv");
        assertFails(run("quantize", FRAUD, out, "--calibration", temp.resolve("no.csv")), "no.csv");
        assertFails(run("quantize", temp.resolve("no.onnx"), out, "--calibration", data), "no.onnx");
        assertFails(run("quantize", empty, out, "--calibration", data), "empty.onnx");
        assertFails(run("quantize", empty, out, "--mode", "dynamic"), "empty.onnx");
        assertFails(run("quantize", FRAUD, out, "--calibration", data, "--exclude", "x"), "no node 'x' to exclude");
        assertFails(
                run("quantize", FRAUD, temp.resolve("none/int8.onnx"), "--calibration", data),
                "no such file or folder: " + temp.resolve("none"));
        assertThat(out).doesNotExist();
    }

    @Test
    void shouldTryTheModelInAnotherProcessFirst() throws IOException {
        Path out = temp.resolve("int8.onnx");

        Path crashing = Files.write(temp.resolve("crashing.onnx"), Harmful.crashing());

        assertFails(run("quantize", crashing, out, "--mode", "dynamic"), "crashing.onnx: it cannot be run: ");
        assertThat(out).doesNotExist();
    }

    private static void assertFails(Run run, String problem) {
        assertThat(run.code()).as(run.toString()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("millrace: ").contains(problem).hasLineCount(1);
    }

    @Test
    void shouldSayHowItIsCalled() throws IOException {
        Path out = temp.resolve("int8.onnx");

        assertCalledWrongly(run("quantize", FRAUD, out), "--calibration DATA is needed");
        assertCalledWrongly(run("quantize", FRAUD, out, "--mode", "sometimes"), "--mode");
        assertCalledWrongly(run("quantize", FRAUD, out, "--mode", "dynamic", "--weights", "u8"), "must be s8, was u8");
        assertCalledWrongly(run("quantize", FRAUD, out, "--mode", "dynamic", "--bins", "3"), "bins must be even");
        assertCalledWrongly(
                run("quantize", FRAUD, out, "--mode", "dynamic", "--trial-timeout", "0"), "must be at least 1");
        assertCalledWrongly(
                run("quantize", FRAUD, out, "--calibration", data(2), "--labels", "features"), "is an input");
        assertThat(run("--help").out()).contains("inspect", "quantize");
    }

    private static void assertCalledWrongly(Run run, String problem) {
        assertThat(run.code()).as(run.toString()).isEqualTo(2);
        assertThat(run.err()).contains(problem);
    }
}
