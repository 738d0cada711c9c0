// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Numbers that halves do not reach, where no run tells of them.
class HalfRangesTest {
    private static final OnnxTensor MILLION = OnnxTensor.ofFloats("", new long[0], 1e6f);

    @TempDir
    Path temp;

    /// A model that takes a branch only for rows that are larger than the random ones.
    private Path rarely(Graphs branch, Graphs around) throws IOException {
        Graphs other = new Graphs().output("same", -1, 4).node("Identity: x -> same");
        return around.input("x", -1, 4)
                .output("y", -1, 4)
                .weights("w", 4, 4)
                .floats("limit", new long[0], 1000)
                .node("ReduceSum: x -> sum", OnnxAttribute.of("keepdims", 0))
                .node("Greater: sum, limit -> large")
                .node("If: large -> picked", branch.body("then_branch"), other.body("else_branch"))
                .node("MatMul: picked, w -> y")
                .write(temp.resolve("in.onnx"));
    }

    private HalfPrecision.Result converted(Path in) throws IOException {
        HalfPrecision.Result result = HalfPrecision.convert(in, temp.resolve("out.onnx"), 2e-2);
        assertThat(result.agreement().isCompared()).isTrue();
        return result;
    }

    private static Map<OperatorName, Integer> kept(String... names) {
        return Arrays.stream(names).collect(Collectors.toMap(name -> new OperatorName("", name), _ -> 1, Integer::sum));
    }

    /// The operators in the first body of the first node that has one.
    private List<String> inBody() throws IOException {
        try (OnnxFile made = OnnxFile.open(temp.resolve("out.onnx"))) {
            OnnxGraph body = made.graph().nodes().stream()
                    .flatMap(node -> node.graphs().stream())
                    .findFirst()
                    .orElseThrow();
            return body.nodes().stream()
                    .map(OnnxNode::operator)
                    .map(OperatorName::name)
                    .toList();
        }
    }

    @Test
    void shouldKeepFloatWhatTakesALargeConstantOfABranch() throws IOException {
        HalfPrecision.Result result = converted(rarely(
                new Graphs()
                        .output("z", -1, 4)
                        .node("Mul: x, c -> p")
                        .node("Div: p, c -> q")
                        .node("Tanh: q -> t")
                        .node("Neg: t -> z")
                        .constant("c", MILLION),
                new Graphs()));

        assertThat(result.kept()).isEqualTo(kept("Constant", "Mul", "Div", "Tanh", "If"));
        assertThat(result.outOfRange()).isEqualTo(4);
        assertThat(inBody()).containsExactly("Constant", "Mul", "Div", "Tanh", "Cast", "Neg", "Cast");
    }

    @Test
    void shouldKeepFloatWhatTakesALargeConstantFromAroundABranch() throws IOException {
        Graphs branch = new Graphs().output("z", -1, 4).node("Mul: x, c -> p").node("Div: p, c -> z");

        HalfPrecision.Result result = converted(rarely(branch, new Graphs().floats("c", new long[0], 1e6f)));

        assertThat(result.kept()).isEqualTo(kept("Mul", "Div", "If"));
        assertThat(inBody()).containsExactly("Mul", "Div");
    }

    @Test
    void shouldKeepFloatWhatIsMadeOfALargeConstantOfABranch() throws IOException {
        HalfPrecision.Result result = converted(rarely(
                new Graphs()
                        .output("z", -1, 4)
                        .longs("many", 1_000_000)
                        .node("Cast: many -> c", OnnxAttribute.of("to", ElementType.FLOAT.code()))
                        .node("Mul: x, c -> p")
                        .node("Add: p, x -> q")
                        .node("Div: q, c -> z"),
                new Graphs()));

        assertThat(result.kept()).isEqualTo(kept("Cast", "Mul", "Add", "Div", "If"));
        assertThat(inBody()).containsExactly("Cast", "Mul", "Add", "Div");
    }

    /// Values of a loop are larger in later rounds, and the limits of slices are no numbers of the model's.
    @Test
    void shouldKeepFloatWhatALoopIsGivenThatIsLarge() throws IOException {
        Graphs body = new Graphs()
                .input(Graphs.value("round", ElementType.INT64))
                .input(Graphs.value("goes", ElementType.BOOL))
                .input("state", 1)
                .output(Graphs.value("goesOn", ElementType.BOOL))
                .output("next", 1)
                .output("scanned", -1, 4)
                .longs("from", 0)
                .longs("to", Long.MAX_VALUE)
                .node("Identity: goes -> goesOn")
                .node("Abs: state -> next")
                .node("Slice: x, from, to -> all")
                .node("Mul: all, state -> p")
                .node("Div: p, state -> scanned");
        Path in = new Graphs()
                .input("x", -1, 4)
                .output("y", -1, -1, 4)
                .output("last", 1)
                .longs("rounds", 2)
                .floats("first", new long[] {1}, 1e6f)
                .constant("true", OnnxTensor.of("", ElementType.BOOL, new long[0], new byte[] {1}))
                .node("Loop: rounds, true, first -> last, each", body.body("body"))
                .node("Neg: each -> y")
                .write(temp.resolve("in.onnx"));

        HalfPrecision.Result result = converted(in);

        assertThat(result.kept()).isEqualTo(kept("Abs", "Mul", "Div", "Loop"));
        assertThat(result.nodes()).isEqualTo(2);
    }

    /// Half a row has no size: the model cannot be run on random inputs.
    @Test
    void shouldKeepFloatWhatIsMadeOfALargeConstantWhenNoRunTells() throws IOException {
        Path in = new Graphs()
                .input("x", -1, 4)
                .output("y", -1, 4)
                .longs("at", 0)
                .longs("impossible", 7, 11)
                .node("Unsqueeze: c, at -> d")
                .node("Mul: x, d -> p")
                .node("Div: p, d -> q")
                .node("Sigmoid: q -> s")
                .node("Reshape: s, impossible -> t")
                .node("Neg: t -> y")
                .constant("c", MILLION)
                .write(temp.resolve("in.onnx"));

        HalfPrecision.Result result = HalfPrecision.convert(in, temp.resolve("out.onnx"), 2e-2);

        assertThat(result.agreement().isCompared()).isFalse();
        assertThat(result.kept()).isEqualTo(kept("Constant", "Unsqueeze", "Mul", "Div", "Sigmoid"));
        assertThat(result.nodes()).isEqualTo(2);
    }
}
