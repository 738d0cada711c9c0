// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static dev.millrace.quantize.QuantizerTest.node;
import static dev.millrace.quantize.QuantizerTest.value;
import static dev.millrace.quantize.QuantizerTest.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.dataset.Dataset;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import dev.millrace.onnx.ProtoMessage;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings.Optimization;
import dev.millrace.quantize.QuantizeOptions.Mode;
import dev.millrace.quantize.QuantizeOptions.ReduceRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Graphs that are valid and rare, and such as are not valid: what is written answers as the model does, or one
/// sentence says why nothing is.
class OddModelsTest {
    private static final QuantizeOptions STATIC = QuantizeOptions.DEFAULT.withReduceRange(ReduceRange.NEVER);
    private static final QuantizeOptions DYNAMIC = STATIC.withMode(Mode.DYNAMIC);
    private static final int WIDTH = 16;

    @TempDir
    Path temp;

    private long memoryBefore;

    @BeforeEach
    void measureMemory() {
        memoryBefore = NativeMemory.used();
    }

    @AfterEach
    void everythingIsFreed() {
        assertThat(NativeMemory.used()).isEqualTo(memoryBefore);
    }

    /// A model that takes `x` and gives `y`.
    private static OnnxFile model(List<OnnxNode> nodes, OnnxTensor... constants) {
        OnnxGraph graph = OnnxGraph.named("test");
        graph.setNodes(nodes);
        graph.setInitializers(List.of(constants));
        graph.setInputs(List.of(value("x")));
        graph.setOutputs(List.of(value("y")));
        return OnnxFile.of(graph, 8, Map.of("ai.onnx", 17L), "a test");
    }

    private Path write(OnnxFile model) throws IOException {
        Path file = temp.resolve("in.onnx");
        try (model) {
            model.write(file);
        }
        return file;
    }

    private Path out() {
        return temp.resolve("out.onnx");
    }

    private static Rows data() {
        return Rows.random(5, 70, WIDTH);
    }

    private QuantizationReport quantize(Path in, QuantizeOptions options) throws IOException {
        return Quantizer.quantize(in, out(), options, data(), Progress.NONE);
    }

    private static void assertAlike(List<Float> before, List<Float> after) {
        assertThat(after).hasSameSizeAs(before);
        double most = before.stream().mapToDouble(Math::abs).max().orElseThrow();
        for (int i = 0; i < before.size(); i++) {
            assertThat(Math.abs(after.get(i) - before.get(i)) / most).isLessThan(0.04);
        }
    }

    private void assertAnswersLike(Path in) throws IOException {
        assertAlike(Models.answers(in, data()), Models.answers(out(), data()));
    }

    @Test
    void shouldTellWeightsApartWhoseNamesAreAlikeWhenDynamic() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("Gemm", List.of("x", "w"), List.of("a"), OnnxAttribute.of("transB", 1)),
                node("MatMul", List.of("a", "w_transposed"), List.of("y")));
        Path in = write(model(nodes, weights("w", WIDTH, WIDTH), weights("w_transposed", WIDTH, WIDTH)));

        QuantizationReport report = quantize(in, DYNAMIC);

        assertThat(report.quantized()).isEqualTo(Map.of("Gemm", 1, "MatMul", 1));
        assertAnswersLike(in);
    }

    @Test
    void shouldSimplifyModelsWithWeightsInOtherFiles() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("MatMul", List.of("x", "w"), List.of("a")),
                node("Relu", List.of("a"), List.of("b")),
                node("MatMul", List.of("b", "v"), List.of("y")));
        OnnxTensor w = weights("w", WIDTH, WIDTH);
        byte[] bytes = w.raw().orElseThrow().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        Files.createDirectory(temp.resolve("data"));
        Files.write(temp.resolve("data/w.bin"), bytes);
        Path in = write(model(nodes, w, weights("v", WIDTH, WIDTH)));
        OnnxTensor external = new OnnxTensor(new ProtoMessage()
                .setNumbers(1, WIDTH, WIDTH)
                .setNumber(2, 1)
                .setText(8, "w")
                .setMessages(
                        13, List.of(new ProtoMessage().setText(1, "location").setText(2, "data/w.bin")))
                .setNumber(14, 1));
        try (OnnxFile file = OnnxFile.open(in)) {
            file.graph().setInitializers(List.of(external, weights("v", WIDTH, WIDTH)));
            file.write(in);
        }

        for (QuantizeOptions options : List.of(STATIC, DYNAMIC)) {
            QuantizationReport report = quantize(in, options.withOptimize(true));

            assertThat(report.quantized()).isEqualTo(Map.of("MatMul", 2));
            assertAnswersLike(in);
        }
    }

    @Test
    void shouldGiveScalesOfItsOwnToWhatIsTakenFromWeightsWithChannels() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("Gather", List.of("e", "x"), List.of("rows")),
                node(
                        "ReduceMean",
                        List.of("rows"),
                        List.of("mean"),
                        OnnxAttribute.of("axes", new long[] {1}),
                        OnnxAttribute.of("keepdims", 0)),
                node("Gemm", List.of("mean", "e"), List.of("y"), OnnxAttribute.of("transB", 1)));
        OnnxFile model = model(nodes, weights("e", WIDTH, 8));
        model.graph()
                .setInputs(List.of(
                        OnnxValue.of("x", ElementType.INT64, List.of(Dimension.open("batch"), Dimension.of(3)))));
        Path in = write(model);
        Dataset ids = OddModelsTest::ids;

        Quantizer.quantize(in, out(), STATIC.withPerChannel(true), ids, Progress.NONE);

        assertAlike(Models.answers(in, ids), Models.answers(out(), ids));
    }

    /// Three rows of the table at a time, once.
    private static void ids(int rows, Dataset.Sink sink) throws IOException {
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.INT64)) {
            tensor.reshape(WIDTH, 3);
            for (int i = 0; i < 3 * WIDTH; i++) {
                tensor.setLong(i, i % WIDTH);
            }
            sink.accept(new Dataset.Batch(new Tensor[] {tensor}, WIDTH, new double[0]));
        }
    }

    @Test
    void shouldQuantizeBiasesThatAreRowsByChannels() throws IOException {
        List<OnnxNode> nodes = List.of(node("Gemm", List.of("x", "w", "b"), List.of("y")));
        Path in = write(model(nodes, weights("w", WIDTH, WIDTH), weights("b", 1, WIDTH)));

        quantize(in, STATIC.withPerChannel(true));

        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(Models.constants(file)).containsKey("b_quantized");
        }
        assertAnswersLike(in);
        assertAlike(Models.answers(in, data()), Models.answers(out(), data(), Optimization.NONE));
    }

    @Test
    void shouldKeepBiasesThatAreNotOfChannels() throws IOException {
        List<OnnxNode> nodes = List.of(node("Gemm", List.of("x", "w", "b"), List.of("y")));
        OnnxFile model = model(nodes, weights("w", WIDTH, WIDTH), weights("b", WIDTH, 1));
        model.graph()
                .setInputs(List.of(
                        OnnxValue.of("x", ElementType.FLOAT, List.of(Dimension.of(WIDTH), Dimension.of(WIDTH)))));
        Path in = write(model);
        Dataset whole = Rows.random(5, WIDTH, WIDTH);

        Quantizer.quantize(in, out(), STATIC.withPerChannel(true), whole, Progress.NONE);

        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(Models.constants(file)).containsKey("b").doesNotContainKey("b_quantized");
        }
        assertAlike(Models.answers(in, whole), Models.answers(out(), whole));
    }

    @Test
    void shouldRefuseToWriteWhatDoesNotRun() throws IOException {
        OnnxNode quantize = node("QuantizeLinear", List.of("x", "scales"), List.of("q"), OnnxAttribute.of("axis", 0));
        OnnxNode dequantize =
                node("DequantizeLinear", List.of("q", "scales"), List.of("y"), OnnxAttribute.of("axis", 0));
        float[] scales = new float[50];
        Arrays.fill(scales, 1);
        Path made = write(model(
                List.of(quantize, dequantize), OnnxTensor.ofFloats("scales", new long[] {scales.length}, scales)));
        Path original = temp.resolve("original.onnx");
        try (OnnxFile model = model(List.of(node("Exp", List.of("x"), List.of("y"))))) {
            model.write(original);
        }

        assertThatThrownBy(() -> new Proof(made).run(data(), 32)).hasMessageContaining("does not run");
        assertThatThrownBy(() -> new Proof(made).run(original)).hasMessageContaining("does not run");
        new Proof(original).run(data(), 32);
        new Proof(original).run(original);
    }

    @Test
    void shouldKeepWhatCutsOffAllThatWasSeenWhereBytesDoNot() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("MatMul", List.of("x", "w"), List.of("a")),
                node("Add", List.of("a", "low"), List.of("sum")),
                node("Relu", List.of("sum"), List.of("y")));
        Path in = write(model(nodes, weights("w", WIDTH, WIDTH), OnnxTensor.ofFloats("low", new long[] {1}, -30)));

        quantize(in, STATIC.withActivations(ElementType.INT8));

        assertThat(Models.operators(out())).containsEntry("Relu", 1);
        assertThat(Models.answers(out(), data())).containsOnly(0f);
        // Bytes without a sign end at zero themselves.
        quantize(in, STATIC);
        assertThat(Models.operators(out())).doesNotContainKey("Relu");
        assertThat(Models.answers(out(), data())).containsOnly(0f);
    }

    @Test
    void shouldKeepBoundsThatNothingWasBetween() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("MatMul", List.of("x", "halves"), List.of("a")),
                node("Clip", List.of("a", "zero", "one"), List.of("y")));
        float[] halves = new float[WIDTH * WIDTH];
        Arrays.fill(halves, 0.5f);
        Path in = write(model(
                nodes,
                OnnxTensor.ofFloats("halves", new long[] {WIDTH, WIDTH}, halves),
                OnnxTensor.ofFloats("zero", new long[0], 0),
                OnnxTensor.ofFloats("one", new long[0], 1)));
        float[] row = new float[WIDTH];
        Arrays.fill(row, -2);
        row[0] = 2;
        Quantizer.quantize(in, out(), STATIC, new Rows(row.clone(), WIDTH), Progress.NONE);

        Arrays.fill(row, 2);

        assertThat(Models.answers(out(), new Rows(row, WIDTH))).containsOnly(1f);
    }

    @Test
    void shouldSayWhatIsWrongWithNodesThatLackSomething() throws IOException {
        OnnxNode product = node("MatMul", List.of("x", "w"), List.of("y"));
        OnnxNode mute = OnnxNode.of(new OperatorName("", "Relu"), "mute", List.of("x"), List.of());
        Path withoutOutputs = write(model(List.of(product, mute), weights("w", WIDTH, WIDTH)));
        assertNotRun(withoutOutputs);
        Path withOneInput = write(model(List.of(node("MatMul", List.of("x"), List.of("y")))));
        assertNotRun(withOneInput);
    }

    private void assertNotRun(Path in) {
        for (QuantizeOptions options : List.of(STATIC, DYNAMIC)) {
            assertThatThrownBy(() -> quantize(in, options))
                    .isInstanceOf(OrtFailure.class)
                    .hasMessageContaining(in.toString());
            assertThat(out()).doesNotExist();
        }
    }

    @Test
    void shouldQuantizeWithOneBiasForAllChannels() throws IOException {
        List<OnnxNode> nodes = List.of(node("Gemm", List.of("x", "w", "b"), List.of("y")));
        Path in = write(model(nodes, weights("w", WIDTH, WIDTH), OnnxTensor.ofFloats("b", new long[] {1}, 1.5f)));

        for (QuantizeOptions options : List.of(STATIC, STATIC.withPerChannel(true), DYNAMIC)) {
            assertThat(quantize(in, options).quantized()).isEqualTo(Map.of("Gemm", 1));
            assertAnswersLike(in);
        }
    }

    @Test
    void shouldGiveNamesThatBodiesDoNotHave() throws IOException {
        OnnxGraph then = OnnxGraph.named("then");
        then.setInitializers(List.of(weights("a_zero_point", 1)));
        then.setNodes(List.of(
                node("Add", List.of("a", "a_zero_point"), List.of("a_scale")),
                node("Neg", List.of("a_scale"), List.of("a_quantized"))));
        then.setOutputs(List.of(value("a_quantized")));
        OnnxGraph orElse = OnnxGraph.named("else");
        orElse.setNodes(List.of(node("Identity", List.of("a"), List.of("a_QuantizeLinear_Output"))));
        orElse.setOutputs(List.of(value("a_QuantizeLinear_Output")));
        List<OnnxNode> nodes = List.of(
                node("MatMul", List.of("x", "w"), List.of("a")),
                node(
                        "If",
                        List.of("condition"),
                        List.of("b"),
                        branch("then_branch", then),
                        branch("else_branch", orElse)),
                node("MatMul", List.of("a", "v"), List.of("c")),
                node("Add", List.of("b", "c"), List.of("y")));
        OnnxTensor condition = OnnxTensor.of("condition", ElementType.BOOL, new long[0], new byte[] {1});
        Path in = write(model(nodes, weights("w", WIDTH, WIDTH), weights("v", WIDTH, WIDTH), condition));

        for (QuantizeOptions options : List.of(STATIC, DYNAMIC)) {
            quantize(in, options);

            Set<String> inside = Set.of("a_zero_point", "a_scale", "a_quantized", "a_QuantizeLinear_Output");
            try (OnnxFile file = OnnxFile.open(out())) {
                assertThat(Models.constants(file).keySet()).doesNotContainAnyElementsOf(inside);
                for (OnnxNode node : file.graph().nodes()) {
                    assertThat(node.outputs()).doesNotContainAnyElementsOf(inside);
                }
            }
            assertAnswersLike(in);
        }
    }

    private static OnnxAttribute branch(String name, OnnxGraph body) {
        return new OnnxAttribute(new ProtoMessage()
                .setText(1, name)
                .setMessages(6, List.of(body.message()))
                .setNumber(20, 5));
    }

    @Test
    void shouldSayThatThereIsNothingToMultiply() throws IOException {
        Path none = write(model(List.of(node("Exp", List.of("x"), List.of("y")))));
        for (QuantizeOptions options : List.of(STATIC, DYNAMIC)) {
            assertThatThrownBy(() -> quantize(none, options))
                    .isInstanceOf(InvalidModelException.class)
                    .hasMessage("the model has nothing to quantize: it has no Conv, ConvTranspose, Gemm, MatMul");
        }
        Path product =
                write(model(List.of(node("MatMul", List.of("x", "w"), List.of("y"))), weights("w", WIDTH, WIDTH)));
        assertThatThrownBy(() -> quantize(product, STATIC.withExcluded("y")))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageContaining("nothing to quantize: 1 nodes")
                .hasMessageContaining("it is excluded");
    }

    @Test
    void shouldLookForTheFolderBeforeItCalibrates() throws IOException {
        Path in = write(model(List.of(node("MatMul", List.of("x", "w"), List.of("y"))), weights("w", WIDTH, WIDTH)));
        Path folder = temp.resolve("none");
        Dataset unread = (_, _) -> {
            throw new AssertionError("the data is read");
        };

        assertThatThrownBy(() -> Quantizer.quantize(in, folder.resolve("out.onnx"), STATIC, unread, Progress.NONE))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessage(folder.toString());
    }

    @Test
    void shouldTakeBoundsThatAreInfinite() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("MatMul", List.of("x", "w"), List.of("a")),
                node("Clip", List.of("a", "low", "high"), List.of("y")));
        Path in = write(model(
                nodes,
                weights("w", WIDTH, WIDTH),
                OnnxTensor.ofFloats("low", new long[0], 0),
                OnnxTensor.ofFloats("high", new long[0], Float.POSITIVE_INFINITY)));

        quantize(in, STATIC);

        assertThat(Models.operators(out())).doesNotContainKey("Clip");
        assertAnswersLike(in);
    }

    @Test
    void shouldKeepBoundsThatAreNoNumbers() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("MatMul", List.of("x", "w"), List.of("a")), node("Clip", List.of("a", "low"), List.of("y")));
        Path in = write(model(nodes, weights("w", WIDTH, WIDTH), OnnxTensor.ofFloats("low", new long[0], Float.NaN)));

        quantize(in, STATIC);

        assertThat(Models.operators(out())).containsEntry("Clip", 1);
    }

    @Test
    void shouldSayWhichInputsAreConstantsNow() throws IOException {
        OnnxFile model = model(
                List.of(node("Gemm", List.of("x", "w", "b"), List.of("a")), node("Relu", List.of("a"), List.of("y"))),
                weights("w", WIDTH, WIDTH),
                weights("b", WIDTH));
        OnnxValue w = OnnxValue.of("w", ElementType.FLOAT, List.of(Dimension.of(WIDTH), Dimension.of(WIDTH)));
        model.graph().setInputs(List.of(value("x"), w));
        Path in = write(model);

        QuantizationReport report = quantize(in, STATIC);

        assertThat(report.warnings())
                .containsExactly("inputs with weights for defaults are constants now, and cannot be given: w");
        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(file.graph().inputs()).extracting(OnnxValue::name).containsExactly("x");
        }
        assertThat(quantize(in, DYNAMIC).warnings()).hasSize(2);
    }
}
