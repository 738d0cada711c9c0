// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The commands of `millrace model` that make a model of another, as they are called.
class MakingCommandsTest {
    private static final Path FRAUD = Path.of("../models/zoo/fraud/1/model.onnx");
    private static final Path RESOURCES = Path.of("../models/src/test/resources");
    private static final Path ONE_ROW = RESOURCES.resolve("models/one_row.onnx");

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

    private Path out() {
        return temp.resolve("out.onnx");
    }

    @Test
    void shouldOptimiseAndSayWhereItRuns() {
        Run run = model("optimize", FRAUD, out());

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .startsWith("made          " + out())
                .contains(", before 8\n", "\nanswers       ", " random inputs\n", "\nruns on       ONNX Runtime ");
        assertThat(model("optimize", "--level", "basic", FRAUD, out()).out()).contains("any engine");
        assertThat(model("optimize", "--level", "all", FRAUD, out()).out())
                .contains("this kind of processor only", "optimization.graph.level 2");
        assertThat(model("inspect", out()).out()).contains("metadata      license: Apache-2.0");
    }

    @Test
    void shouldHalveAModelAndSayWhatStaysFloat() {
        Run run = model("convert", "--fp16", FRAUD, out());

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .contains(
                        "halves        8 nodes, 8 constants",
                        "kept float    no node\n",
                        "casts         2\n",
                        "answers       at most ",
                        " of an output's largest value apart, on 4 random inputs\n");
        assertThat(model("inspect", "--no-run", out()).out())
                .contains("input         features FLOAT [batch, 22]", "parameters    3,629 FLOAT16 in 8 tensors");
        Path none = temp.resolve("none.onnx");
        assertThat(model("convert", "--fp16", "--tolerance", "0", FRAUD, none).err())
                .contains("output 'score' differs by ");
        assertThat(none).doesNotExist();
    }

    @Test
    void shouldSayWhenConstantsStayFloatThatAreInputs() throws IOException {
        OnnxGraph graph = OnnxGraph.named("test");
        graph.setInputs(List.of(floats("x"), floats("w")));
        graph.setOutputs(List.of(floats("y")));
        graph.setInitializers(List.of(OnnxTensor.ofFloats("w", new long[] {2, 2}, 1, 2, 3, 4)));
        graph.setNodes(List.of(OnnxNode.of(new OperatorName("", "MatMul"), "", List.of("x", "w"), List.of("y"))));
        Path in = temp.resolve("in.onnx");
        try (OnnxFile model = OnnxFile.of(graph, 8, Map.of("ai.onnx", 17L), "a test")) {
            model.write(in);
        }

        Run run = model("convert", "--fp16", in, out());

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("\ninputs        constants among them: 1, ", "\ncasts         3\n");
    }

    private static OnnxValue floats(String name) {
        return OnnxValue.of(name, ElementType.FLOAT, List.of(Dimension.of(2), Dimension.of(2)));
    }

    @Test
    void shouldHaveAModelTakeMoreRows() {
        Run run = model("rebatch", "--dimension", "rows", ONE_ROW, out());

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .contains(
                        "inputs        rows rows of x\n",
                        "outputs       rows rows of y\n",
                        "changed       no node\n",
                        "random rows together in 1, 2, 3, 8 beside each alone\n");
        assertThat(model("inspect", out()).out()).contains("input         x FLOAT [rows, 4]", "batching      ROWS");
    }

    @Test
    void shouldFailWithOneLineAndWriteNothing() throws IOException {
        Path text = Files.writeString(temp.resolve("text.onnx"), "text");

        assertThat(model("rebatch", FRAUD, out()))
                .isEqualTo(new Run(
                        1,
                        "",
                        "millrace: " + FRAUD + ": input 'features' has a leading dimension of any size already\n"));
        assertThat(model("optimize", text, out()).err())
                .startsWith("millrace: " + text + ": ")
                .hasLineCount(1);
        assertThat(model("optimize", temp.resolve("none"), out()))
                .isEqualTo(new Run(1, "", "millrace: " + temp.resolve("none") + ": there is no such file\n"));
        assertThat(model("optimize", FRAUD, temp.resolve("none/out.onnx")))
                .isEqualTo(new Run(1, "", "millrace: " + temp.resolve("none") + ": there is no such file or folder\n"));
        assertThat(model("optimize", FRAUD, temp))
                .isEqualTo(new Run(1, "", "millrace: " + temp + ": it is a folder, expected a file\n"));
        assertThat(model("optimize", FRAUD, "/").err()).isEqualTo("millrace: /: it is a folder, expected a file\n");
        assertThat(out()).doesNotExist();
    }

    @Test
    void shouldNotWriteOverWhatItReads() throws IOException {
        Path in = Files.copy(FRAUD, temp.resolve("in.onnx"));
        Path link = Files.createLink(temp.resolve("link.onnx"), in);
        Path everything = Files.copy(RESOURCES.resolve("inspect/everything.onnx"), temp.resolve("everything.onnx"));
        Path tensors = Files.copy(RESOURCES.resolve("inspect/everything.bin"), temp.resolve("everything.bin"));
        byte[] before = Files.readAllBytes(tensors);

        assertThat(model("optimize", in, link).err()).contains("OUT is IN");
        assertThat(model("optimize", everything, tensors).err()).contains("OUT has tensors of IN in it");
        assertThat(tensors).hasBinaryContent(before);
    }

    @Test
    void shouldComplainWhenCalledWrongly() throws IOException {
        byte[] before = Files.readAllBytes(FRAUD);

        assertThat(model("optimize", FRAUD).code()).isEqualTo(2);
        assertThat(model("convert", FRAUD, out()).err()).contains("--fp16");
        assertThat(model("convert", "--fp16", "--tolerance", "-1", FRAUD, out()).code())
                .isEqualTo(2);
        assertThat(model("optimize", "--level", "most", FRAUD, out()).err())
                .contains("--level is 'most', expected basic, extended or all");
        assertThat(model("optimize", FRAUD, FRAUD).err()).contains("OUT is IN");
        assertThat(model("rebatch", "--dimension", "", ONE_ROW, out()).code()).isEqualTo(2);
        assertThat(model("rebatch", "--trial-timeout", "0", ONE_ROW, out()).code())
                .isEqualTo(2);
        assertThat(FRAUD).hasBinaryContent(before);
    }
}
