// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OperatorName;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HalfPrecisionTest {
    @TempDir
    Path temp;

    private Path out() {
        return temp.resolve("out.onnx");
    }

    private Path file() {
        return temp.resolve("in.onnx");
    }

    private static OperatorName onnx(String name) {
        return new OperatorName("", name);
    }

    /// Converts, and holds the answers to those before; the part of the largest that they may be off by is stated.
    private HalfPrecision.Result converted(Path in, double tolerance) throws IOException {
        HalfPrecision.Result result = HalfPrecision.convert(in, out(), tolerance);
        double[] before = Graphs.answers(in, 3, true, 11);
        double largest = Arrays.stream(before).map(Math::abs).max().orElseThrow();
        assertThat(Graphs.answers(out(), 3, true, 11))
                .hasSameSizeAs(before)
                .containsExactly(before, within(tolerance * largest));
        assertThat(result.agreement().isCompared()).isTrue();
        return result;
    }

    @Test
    void shouldHalveTheExampleModelsAndKeepWhatTheyTakeAndGive() throws IOException {
        Path fraud = Path.of("zoo/fraud/1/model.onnx");
        HalfPrecision.Result result = converted(fraud, 2e-3);

        assertThat(result.nodes()).isEqualTo(8);
        assertThat(result.kept()).isEmpty();
        assertThat(result.constants()).isEqualTo(8);
        assertThat(result.casts()).isEqualTo(2);
        assertThat(result.agreement().equal()).isFalse();
        assertThat(Files.size(out())).isLessThan(Files.size(fraud) * 6 / 10);
        try (OnnxFile before = OnnxFile.open(fraud);
                OnnxFile made = OnnxFile.open(out())) {
            made.check();
            assertThat(made.graph().inputs()).hasSize(1).allMatch(HalfPrecisionTest::isFloat);
            assertThat(made.graph().outputs()).hasSize(1).allMatch(HalfPrecisionTest::isFloat);
            assertThat(made.graph().initializers()).allMatch(tensor -> tensor.type() == ElementType.FLOAT16);
            assertThat(made.metadata()).containsAllEntriesOf(before.metadata());
        }
    }

    @Test
    void shouldStillShareRunsWhenHalvesRoundRowsOtherwiseInLargerOnes() throws IOException {
        assertThat(converted(Path.of("zoo/digits/1/model.onnx"), 1e-2).nodes()).isEqualTo(11);
        try (OnnxModel model = OnnxModel.load(out(), SessionSettings.DEFAULT)) {
            assertThat(model.batching().kind()).as(model.batching().reason()).isEqualTo(Batching.Kind.ROWS);
            assertThat(model.batching().bitExact()).isFalse();
        }
    }

    private static boolean isFloat(OnnxValue value) {
        return value.elementType().orElseThrow() == ElementType.FLOAT;
    }

    @Test
    void shouldKeepFloatWhatHasNoHalves() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 4)
                        .output("y", -1, 2)
                        .output("biggest", -1, 2)
                        .weights("w", 4, 4)
                        .longs("k", 2)
                        .between("z", -1, 4)
                        .between("r", -1, 4)
                        .node("MatMul: x, w -> z")
                        .node("Relu: z -> r")
                        .node("TopK: r, k -> biggest, at")
                        .node("Neg: biggest -> n")
                        .node("Min: n, biggest -> m")
                        .node("Abs: m -> y")
                        .write(file()),
                2e-2);

        assertThat(result.kept()).isEqualTo(Map.of(onnx("TopK"), 1, onnx("Min"), 1));
        assertThat(result.nodes()).isEqualTo(4);
        // Into halves: x, biggest, m; out of them: r, n, y.
        assertThat(result.casts()).isEqualTo(6);
        try (OnnxFile made = OnnxFile.open(out())) {
            assertThat(made.graph().valueInfos())
                    .extracting(value -> value.elementType().orElseThrow())
                    .containsExactly(ElementType.FLOAT16, ElementType.FLOAT);
        }
    }

    @Test
    void shouldKeepFloatNodesWithConstantsThatHalvesDoNotReach() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 2)
                        .output("y", -1, 2)
                        .floats("large", new long[] {1}, 1e6f)
                        .floats("small", new long[] {2}, 1e-9f, -0.5f)
                        .node("Mul: x, large -> m")
                        .node("Div: m, large -> d")
                        .node("Add: d, small -> y")
                        .write(file()),
                2e-3);

        assertThat(result.outOfRange()).isEqualTo(2);
        assertThat(result.kept()).isEqualTo(Map.of(onnx("Mul"), 1, onnx("Div"), 1));
        assertThat(result.raised()).isOne();
        assertThat(result.constants()).isOne();
    }

    @Test
    void shouldRoundConstantsAsHalvesAreRounded() {
        HalfTensor half = HalfTensor.of(
                1, -65504, 65519, 65520, 1e-9f, -1e-9f, 0, Float.NaN, Float.NEGATIVE_INFINITY, 1 + 0x1p-11f);

        assertThat(half.beyond()).isOne();
        assertThat(half.raised()).isEqualTo(2);
        assertThat(half.bytes()).hasSize(20);
        OnnxTensor tensor = half.tensor("t", 10);
        assertThat(tensor.type()).isEqualTo(ElementType.FLOAT16);
        short[] bits = new short[10];
        ByteBuffer.wrap(half.bytes())
                .order(ByteOrder.LITTLE_ENDIAN)
                .asShortBuffer()
                .get(bits);
        assertThat(bits)
                .containsExactly(
                        0x3C00, (short) 0xFBFF, 0x7BFF, 0x7C00, 1, (short) 0x8001, 0, 0x7E00, (short) 0xFC00, 0x3C00);
    }

    @Test
    void shouldConvertConstantsThatAreNodesAndCasts() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 2)
                        .output("y", -1, 2)
                        .output(Graphs.value("s", ElementType.INT64, 2))
                        .constant("two", OnnxTensor.ofFloats("", new long[] {1}, 2))
                        .node("Mul: x, two -> m")
                        .node("Shape: m -> s")
                        .node("Cast: m -> whole", OnnxAttribute.of("to", 7))
                        .node("ConstantOfShape: s -> zeros")
                        .node("Cast: whole -> back", OnnxAttribute.of("to", 1))
                        .node("Add: back, zeros -> y")
                        .write(file()),
                1e-3);

        // The whole numbers are made in floats, with all that they are made of.
        assertThat(result.kept()).isEqualTo(Map.of(onnx("Constant"), 1, onnx("Mul"), 1, onnx("Cast"), 1));
        assertThat(result.exact()).isEqualTo(3);
        assertThat(result.nodes()).isEqualTo(3);
        try (OnnxFile made = OnnxFile.open(out())) {
            assertThat(made.graph().nodes())
                    .filteredOn(node -> node.operator().isOnnx("Cast"))
                    .extracting(node -> node.attribute("to").orElseThrow().integer())
                    .containsExactly(7L, 10L, 1L);
        }
    }

    @Test
    void shouldConvertWhatIsInBranchesAndLeaveWhatTheyTakeAndGive() throws IOException {
        Graphs branch = new Graphs().output("inner", -1, 2).weights("w2", 2, 2).node("MatMul: outer, w2 -> inner");
        Graphs other = new Graphs().output("inner2", -1, 2).node("Neg: outer -> inner2");
        Path in = new Graphs()
                .input("x", -1, 2)
                .output("y", -1, 2)
                .weights("w", 2, 2)
                .floats("limit", new long[] {}, 0)
                .longs("all", 0, 1)
                .node("MatMul: x, w -> outer")
                .node("ReduceSum: outer, all -> sum", OnnxAttribute.of("keepdims", 0))
                .node("Greater: sum, limit -> positive")
                .node("If: positive -> picked", branch.body("then_branch"), other.body("else_branch"))
                .node("Add: picked, outer -> y")
                .write(file());

        HalfPrecision.Result result = converted(in, 5e-3);

        assertThat(result.kept()).isEqualTo(Map.of(onnx("If"), 1));
        assertThat(result.nodes()).isEqualTo(6);
        assertThat(result.constants()).isEqualTo(3);
        try (OnnxFile made = OnnxFile.open(out())) {
            OnnxNode picks = made.graph().nodes().stream()
                    .filter(node -> node.operator().isOnnx("If"))
                    .findFirst()
                    .orElseThrow();
            assertThat(picks.graphs())
                    .extracting(body -> body.nodes().stream()
                            .map(node -> node.operator().name())
                            .toList())
                    .containsExactly(List.of("Cast", "MatMul", "Cast"), List.of("Cast", "Neg", "Cast"));
        }
    }

    @Test
    void shouldHaveConstantsTwiceThatBothWant() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 2)
                        .output("y", -1, 2)
                        .weights("c", 2)
                        .node("Add: x, c -> a")
                        .node("Max: a, c -> y")
                        .write(file()),
                2e-3);

        assertThat(result.nodes()).isOne();
        try (OnnxFile made = OnnxFile.open(out())) {
            assertThat(made.graph().initializers())
                    .extracting(OnnxTensor::name, OnnxTensor::type)
                    .containsExactly(tuple("c", ElementType.FLOAT), tuple("c_fp16", ElementType.FLOAT16));
        }
    }

    @Test
    void shouldSayThatConstantsStayFloatThatAreInputsToo() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 2)
                        .input("w", 2, 2)
                        .output("y", -1, 2)
                        .weights("w", 2, 2)
                        .weights("b", 2)
                        .node("MatMul: x, w -> m")
                        .node("Add: m, b -> y")
                        .write(file()),
                2e-3);

        assertThat(result.defaults()).isOne();
        assertThat(result.constants()).isOne();
        assertThat(result.casts()).isEqualTo(3);
    }

    @Test
    void shouldNotTryInputsThatNoMemoryHasRoomFor() throws IOException {
        Path in = new Graphs()
                .input("x", -1, 1L << 20, 1L << 20, 1L << 20)
                .output("y", -1, 1L << 20, 1L << 20, 1L << 20)
                .node("Neg: x -> y")
                .write(file());

        assertThat(HalfPrecision.convert(in, out(), 1e-2).agreement().obstacle())
                .endsWith("inputs are too large");
    }

    /// ONNX has no halves for the operator in this version, which only ONNX Runtime knows.
    @Test
    void shouldKeepFloatWhatOnnxRuntimeRefuses() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 2)
                        .output("y", -1, 2)
                        .node("Neg: x -> n")
                        .node("Celu: n -> t")
                        .node("Erf: t -> y")
                        .write(file()),
                2e-3);

        assertThat(result.kept()).isEqualTo(Map.of(onnx("Celu"), 1));
        assertThat(result.nodes()).isEqualTo(2);
    }

    @Test
    void shouldKeepFloatWhatWouldOverflow() throws IOException {
        HalfPrecision.Result result = converted(
                new Graphs()
                        .input("x", -1, 2)
                        .output("y", -1, 2)
                        .floats("big", new long[] {1}, 6e4f)
                        .node("Mul: x, big -> large")
                        .node("Div: large, big -> small")
                        .node("Neg: small -> y")
                        .write(file()),
                2e-3);

        assertThat(result.outOfRange()).isEqualTo(2);
        assertThat(result.nodes()).isOne();
    }

    @Test
    void shouldWriteNothingWhenAnswersAreTooFarOffOrNothingCanBeHalved() throws IOException {
        Path exact = new Graphs()
                .input("x", -1, 2)
                .output("y", -1, 2)
                .weights("w", 2)
                .node("Mul: x, w -> y")
                .write(file());
        assertThatThrownBy(() -> HalfPrecision.convert(exact, out(), 0))
                .isInstanceOf(ConversionFailed.class)
                .hasMessageContaining("output 'y' differs by ");
        assertThatThrownBy(() -> HalfPrecision.convert(Graphs.resource("models/rows_int8.onnx"), out(), 0.1))
                .isInstanceOf(ConversionFailed.class)
                .hasMessageContaining("no node of it works in half precision");
        assertThat(out()).doesNotExist();
    }

    /// All that ONNX Runtime loads among the test's models: converted, or refused for a reason.
    @Test
    void shouldConvertOrRefuseAllTestModels() throws IOException {
        int made = 0;
        for (Path model : models(Graphs.resource("models").resolve("rows.onnx").getParent())) {
            made += tryAll(model, 2e-3) ? 1 : 0;
        }
        assertThat(made).isGreaterThan(10);
        assertThat(tryAll(Graphs.resource("inspect/shapes.onnx"), 0.1)).isTrue();
        tryAll(Graphs.resource("inspect/everything.onnx"), 0.1);
    }

    private static List<Path> models(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".onnx"))
                    .sorted()
                    .toList();
        }
    }

    private boolean tryAll(Path model, double tolerance) throws IOException {
        Path to = temp.resolve("all.onnx");
        Files.deleteIfExists(to);
        try {
            HalfPrecision.Result result = HalfPrecision.convert(model, to, tolerance);
            assertThat(result.nodes()).as(model.toString()).isPositive();
            try (OnnxFile file = OnnxFile.open(to)) {
                assertThat(file.graph().nodes().stream().map(OnnxNode::outputs)).isNotEmpty();
            }
            return true;
        } catch (ConversionFailed | OrtFailure e) {
            assertThat(to).as(model + ": " + e).doesNotExist();
            return false;
        }
    }

    @Test
    void shouldConvertRealModels() throws IOException {
        for (Path model : Graphs.kept()) {
            if (model.toString().matches(".*(mnist|ultraface|silero_vad|light_.*)\\.onnx")) {
                // Speech: nearly all of it is in branches, and random values do not resemble its state.
                double tolerance = model.endsWith("silero_vad.onnx") ? 2e-2 : 1e-2;
                HalfPrecision.Result result = HalfPrecision.convert(model, out(), tolerance);
                assertThat(result.nodes()).as(model + ": " + result).isGreaterThan(5);
                assertThat(result.agreement().isCompared())
                        .as(model + ": " + result)
                        .isTrue();
            }
        }
    }
}
