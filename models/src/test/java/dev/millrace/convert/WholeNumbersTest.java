// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OperatorName;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Ids, places and counts as floats, beyond what halves tell apart.
class WholeNumbersTest {
    private static final OnnxAttribute TO_LONG = OnnxAttribute.of("to", ElementType.INT64.code());
    private static final OnnxAttribute TO_FLOAT = OnnxAttribute.of("to", ElementType.FLOAT.code());
    private static final float[] IDS = {2049, 4001, 4095, 1, 3333};

    @TempDir
    Path temp;

    private HalfPrecision.Result converted(Graphs graph) throws IOException {
        return HalfPrecision.convert(graph.write(temp.resolve("in.onnx")), temp.resolve("out.onnx"), 2e-2);
    }

    private static OperatorName onnx(String name) {
        return new OperatorName("", name);
    }

    /// The first output of a model for one input of rows of one float.
    private double[] answers(String model, float... rows) {
        try (Probe probe = Probe.open(temp.resolve(model), SessionSettings.DEFAULT);
                Tensor input = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(rows.length, 1)) {
            for (int i = 0; i < rows.length; i++) {
                input.setFloat(i, rows[i]);
            }
            try (Tensors outputs = probe.run(new Tensors(new Tensor[] {input}))) {
                Tensor first = outputs.all()[0];
                double[] answers = new double[(int) first.elementCount()];
                for (int i = 0; i < answers.length; i++) {
                    answers[i] = first.datatype().isFloating() ? first.getReal(i) : first.getLong(i);
                }
                return answers;
            }
        }
    }

    /// 5000 rows, each of its own number, which halves have.
    private static Graphs table() {
        float[] rows = new float[2 * 5000];
        for (int i = 0; i < 5000; i++) {
            rows[2 * i] = Math.floorDiv(i, 100);
            rows[2 * i + 1] = i % 100;
        }
        return new Graphs().input("x", -1, 1).floats("table", new long[] {5000, 2}, rows);
    }

    @Test
    void shouldFetchTheSameRowsWhenIdsComeAsFloats() throws IOException {
        HalfPrecision.Result result = converted(table().output("y", -1, 1, 2)
                .node("Cast: x -> id", TO_LONG)
                .node("Gather: table, id -> row")
                .node("Neg: row -> y"));

        assertThat(result.kept()).isEqualTo(Map.of(onnx("Cast"), 1));
        assertThat(result.exact()).isOne();
        assertThat(result.constants()).isOne();
        assertThat(answers("out.onnx", IDS)).isEqualTo(answers("in.onnx", IDS));
    }

    @Test
    void shouldFetchTheSameRowsWhenIdsAreMovedAndWorkedOutBefore() throws IOException {
        HalfPrecision.Result result = converted(table().output("y", -1, 2)
                .longs("column", 1)
                .longs("flat", -1)
                .longs("zero", 0)
                .floats("one", new long[] {1}, 1)
                .floats("ten", new long[] {1}, 10)
                .node("Neg: x -> n")
                .node("Concat: n, x -> both", OnnxAttribute.of("axis", 1))
                .node("Gather: both, column -> id", OnnxAttribute.of("axis", 1))
                .node("Sub: id, one -> before")
                .node("Add: before, one -> again")
                .node("Div: again, ten -> tenth")
                .node("Floor: tenth -> floor")
                .node("Mul: floor, ten -> tens")
                .node("Reshape: tens, flat -> line")
                .node("Cast: line -> at", TO_LONG)
                .node("Gather: table, at -> row")
                .node("Neg: row -> y"));

        assertThat(result.exact()).isEqualTo(10);
        assertThat(result.nodes()).isEqualTo(2);
        assertThat(answers("out.onnx", IDS)).isEqualTo(answers("in.onnx", IDS));
    }

    @Test
    void shouldCountAndCompareAsBefore() throws IOException {
        HalfPrecision.Result result = converted(new Graphs()
                .input("x", -1, 1)
                .output(Graphs.value("y", ElementType.INT64, -1, 4))
                .floats("limits", new long[] {4}, 2048, 4000, 4001, 4002)
                .output("z", -1, 1)
                .node("Abs: x -> z")
                .node("Greater: x, limits -> above")
                .node("Not: above -> below")
                .node("Cast: below -> y", TO_LONG));

        assertThat(answers("out.onnx", IDS)).isEqualTo(answers("in.onnx", IDS));
        assertThat(result.kept()).isEqualTo(Map.of(onnx("Greater"), 1));
    }

    @Test
    void shouldFindTheSameIdAsBefore() throws IOException {
        HalfPrecision.Result result = converted(new Graphs()
                .input("x", -1, 1)
                .output("y", -1, 1)
                .floats("id", new long[] {1}, 4001)
                .floats("yes", new long[] {1}, 1)
                .floats("no", new long[] {1}, 2)
                .node("Identity: x -> same")
                .node("Equal: same, id -> found")
                .node("Where: found, yes, no -> w")
                .node("Neg: w -> y"));

        assertThat(result.kept()).isEqualTo(Map.of(onnx("Identity"), 1, onnx("Equal"), 1));
        assertThat(answers("out.onnx", 4000, 4001, 4002)).containsExactly(-2, -1, -2);
    }

    @Test
    void shouldFollowIdsIntoBranches() throws IOException {
        Graphs then = new Graphs()
                .output("picked", -1, 1, 2)
                .node("Cast: id -> at", TO_LONG)
                .node("Gather: table, at -> picked");
        Graphs otherwise = new Graphs()
                .output("zeros", -1, 1, 2)
                .node("Cast: id -> at", TO_LONG)
                .node("Gather: table, at -> row")
                .node("Sub: row, row -> zeros");
        HalfPrecision.Result result = converted(table().output("y", -1, 1, 2)
                .floats("limit", new long[0], -1000)
                .node("Identity: x -> id")
                .node("ReduceMax: x -> most", OnnxAttribute.of("keepdims", 0))
                .node("Greater: most, limit -> large")
                .node("If: large -> fetched", then.body("then_branch"), otherwise.body("else_branch"))
                .node("Neg: fetched -> y"));

        assertThat(result.kept()).containsEntry(onnx("Identity"), 1).containsEntry(onnx("Cast"), 2);
        assertThat(answers("out.onnx", IDS)).isEqualTo(answers("in.onnx", IDS));
    }

    /// Numbers that a layer makes are rounded there already; what is behind it is not kept for them.
    @Test
    void shouldEndAtLayers() throws IOException {
        HalfPrecision.Result result = converted(new Graphs()
                .input("x", -1, 1)
                .output("y", -1, 4)
                .weights("w", 1, 4)
                .node("MatMul: x, w -> m")
                .node("Relu: m -> r")
                .node("Round: r -> whole")
                .node("Cast: whole -> n", TO_LONG)
                .node("Cast: n -> f", TO_FLOAT)
                .node("Neg: f -> y"));

        assertThat(result.kept()).isEqualTo(Map.of(onnx("Round"), 1, onnx("Cast"), 1));
        assertThat(result.nodes()).isEqualTo(4);
    }
}
