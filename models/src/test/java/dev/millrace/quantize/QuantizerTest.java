// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.dataset.Dataset;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
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
import dev.millrace.ort.SessionSettings;
import dev.millrace.quantize.QuantizeOptions.Mode;
import dev.millrace.quantize.QuantizeOptions.ReduceRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What else than the reference's models a quantizer meets: files with more in them, odd graphs, and what
/// cannot be done.
class QuantizerTest {
    private static final QuantizeOptions OPTIONS = QuantizeOptions.DEFAULT.withReduceRange(ReduceRange.NEVER);
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

    static OnnxNode node(String operator, List<String> inputs, List<String> outputs, OnnxAttribute... more) {
        return OnnxNode.of(new OperatorName("", operator), outputs.getFirst() + "_node", inputs, outputs, more);
    }

    static OnnxTensor weights(String name, long... dims) {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        int size = 1;
        for (long dim : dims) {
            size *= Math.toIntExact(dim);
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextDouble(-0.5, 0.5);
        }
        return OnnxTensor.ofFloats(name, dims, values);
    }

    /// A model that takes `x` and gives `y` and perhaps more.
    private static OnnxFile model(List<OnnxNode> nodes, List<OnnxTensor> constants, String... outputs) {
        OnnxGraph graph = OnnxGraph.named("test");
        graph.setNodes(nodes);
        graph.setInitializers(constants);
        graph.setInputs(List.of(value("x")));
        List<OnnxValue> values = new ArrayList<>();
        for (String output : outputs) {
            values.add(value(output));
        }
        graph.setOutputs(values);
        return OnnxFile.of(graph, 8, Map.of("ai.onnx", 17L), "a test");
    }

    static OnnxValue value(String name) {
        return OnnxValue.of(name, ElementType.FLOAT, List.of(Dimension.open("batch"), Dimension.of(WIDTH)));
    }

    private static List<OnnxNode> twoLayers() {
        return List.of(
                node("Gemm", List.of("x", "w", "b"), List.of("sum")),
                node("Relu", List.of("sum"), List.of("hidden")),
                node("Gemm", List.of("hidden", "v"), List.of("y")));
    }

    private static List<OnnxTensor> twoWeights() {
        return List.of(weights("w", WIDTH, WIDTH), weights("b", WIDTH), weights("v", WIDTH, WIDTH));
    }

    private Path write(OnnxFile model) throws IOException {
        Path file = temp.resolve("in.onnx");
        try (model) {
            model.write(file);
        }
        return file;
    }

    private QuantizationReport quantize(Path in, QuantizeOptions options) throws IOException {
        return Quantizer.quantize(in, out(), options, data(), Progress.NONE);
    }

    private Path out() {
        return temp.resolve("out.onnx");
    }

    private static Rows data() {
        return Rows.random(5, 70, WIDTH);
    }

    private void assertAnswersLike(Path in) throws IOException {
        List<Float> before = Models.answers(in, data());
        List<Float> after = Models.answers(out(), data());
        assertThat(after).hasSameSizeAs(before);
        double most = before.stream().mapToDouble(Math::abs).max().orElseThrow();
        for (int i = 0; i < before.size(); i++) {
            assertThat(Math.abs(after.get(i) - before.get(i)) / most).isLessThan(0.04);
        }
    }

    @Test
    void shouldTellWhatBecameOfAModel() throws IOException {
        Path in = write(model(twoLayers(), twoWeights(), "y"));
        List<String> seen = new ArrayList<>();

        QuantizationReport report = Quantizer.quantize(
                in, out(), OPTIONS, data(), (rows, pass, passes) -> seen.add(rows + " " + pass + "/" + passes));

        assertThat(seen).containsExactly("32 1/1", "64 1/1", "70 1/1");
        assertThat(report.calibrationRows()).isEqualTo(70);
        assertThat(report.quantized()).isEqualTo(Map.of("Gemm", 2));
        assertThat(report.left()).isEmpty();
        assertThat(report.reducedRange()).isEmpty();
        assertThat(report.bytesBefore()).isEqualTo(Files.size(in));
        assertThat(report.bytesAfter()).isEqualTo(Files.size(out()));
        assertThat(Models.optimized(out(), temp)).containsEntry("com.microsoft.QGemm", 2);
        assertAnswersLike(in);
    }

    @Test
    void shouldKeepWhatItDoesNotChange() throws IOException {
        OnnxFile model = model(twoLayers(), twoWeights(), "y");
        model.setMetadata("made", "here");
        model.message().setText(6, "what it is for").setText(4001, "from the future");
        model.graph().message().setText(10, "says").setText(4002, "unknown");
        ProtoMessage function = new ProtoMessage()
                .setText(1, "Twice")
                .setTexts(4, List.of("a"))
                .setTexts(5, List.of("b"))
                .setMessages(
                        7, List.of(node("Add", List.of("a", "a"), List.of("b")).message()))
                .setMessages(9, List.of(new ProtoMessage().setNumber(2, 17)))
                .setText(10, "test.local");
        model.message().setMessages(25, List.of(function));
        model.setOpset("test.local", 1);
        List<OnnxNode> nodes = new ArrayList<>(model.graph().nodes());
        nodes.removeLast();
        nodes.add(node("Gemm", List.of("hidden", "v"), List.of("z")));
        nodes.add(OnnxNode.of(new OperatorName("test.local", "Twice"), "twice", List.of("z"), List.of("y")));
        model.graph().setNodes(nodes);
        Path in = write(model);

        quantize(in, OPTIONS);

        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(file.metadata()).containsEntry("made", "here").containsKey("millrace.quantized");
            assertThat(file.producer()).isEqualTo("a test");
            assertThat(file.doc()).isEqualTo("what it is for");
            assertThat(file.message().text(4001)).isEqualTo("from the future");
            assertThat(file.graph().message().text(10)).isEqualTo("says");
            assertThat(file.graph().message().text(4002)).isEqualTo("unknown");
            assertThat(file.functions()).hasSize(1);
            assertThat(file.graph().initializers())
                    .noneMatch(tensor -> tensor.name().equals("w"));
        }
        assertAnswersLike(in);
    }

    @Test
    void shouldReadWeightsFromOtherFilesAndKeepThoseOfTheRest() throws IOException {
        List<OnnxTensor> constants = new ArrayList<>(twoWeights());
        ByteBuffer bytes = ByteBuffer.allocate(2 * 4 * WIDTH * WIDTH).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(3);
        while (bytes.hasRemaining()) {
            bytes.putFloat((float) random.nextDouble(-0.5, 0.5));
        }
        Files.write(temp.resolve("weights"), bytes.array());
        constants.set(0, external("w", 0));
        constants.set(2, external("v", 4L * WIDTH * WIDTH));
        OnnxFile model = model(twoLayers(), twoWeights(), "y");
        Path in = temp.resolve("in.onnx");
        try (model) {
            model.write(in);
        }
        try (OnnxFile opened = OnnxFile.open(in)) {
            opened.graph().setInitializers(constants);
            opened.write(in);
        }
        Path folder = Files.createDirectory(temp.resolve("elsewhere"));

        QuantizationReport report =
                Quantizer.quantize(in, folder.resolve("out.onnx"), OPTIONS.withExcluded("y"), data(), Progress.NONE);

        assertThat(report.left()).isEqualTo(Map.of("Gemm 'y_node'", "it is excluded"));
        assertThat(report.bytesBefore()).isEqualTo(Files.size(in) + bytes.capacity());
        assertThat(Files.mismatch(temp.resolve("weights"), folder.resolve("weights")))
                .isEqualTo(-1);
        Files.copy(folder.resolve("out.onnx"), out());
        assertAnswersLike(in);
    }

    private static OnnxTensor external(String name, long offset) {
        return new OnnxTensor(new ProtoMessage()
                .setNumbers(1, WIDTH, WIDTH)
                .setNumber(2, ElementType.FLOAT.code())
                .setText(8, name)
                .setMessages(
                        13,
                        List.of(
                                new ProtoMessage().setText(1, "location").setText(2, "weights"),
                                new ProtoMessage().setText(1, "offset").setText(2, Long.toString(offset))))
                .setNumber(14, 1));
    }

    @Test
    void shouldKeepValuesThatOthersTakeToo() throws IOException {
        OnnxGraph body = OnnxGraph.named("then");
        body.setNodes(List.of(node("Add", List.of("sum", "hidden"), List.of("t"))));
        body.setOutputs(List.of(value("t")));
        OnnxGraph other = OnnxGraph.named("else");
        other.setNodes(List.of(node("MatMul", List.of("x", "w"), List.of("e"))));
        other.setOutputs(List.of(value("e")));
        ProtoMessage then = new ProtoMessage()
                .setText(1, "then_branch")
                .setMessages(6, List.of(body.message()))
                .setNumber(20, 5);
        ProtoMessage orElse = new ProtoMessage()
                .setText(1, "else_branch")
                .setMessages(6, List.of(other.message()))
                .setNumber(20, 5);
        List<OnnxNode> nodes = new ArrayList<>(twoLayers());
        nodes.add(node(
                "If", List.of("condition"), List.of("branched"), new OnnxAttribute(then), new OnnxAttribute(orElse)));
        List<OnnxTensor> constants = new ArrayList<>(twoWeights());
        constants.add(OnnxTensor.of("condition", ElementType.BOOL, new long[0], new byte[] {1}));
        Path in = write(model(nodes, constants, "y", "branched", "hidden"));

        quantize(in, OPTIONS);

        // A branch takes the sum before Relu, so that one stays; and the weights, which stay as floats, too.
        assertThat(Models.operators(out())).containsEntry("Relu", 1);
        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(Models.constants(file)).containsKeys("w", "w_quantized").doesNotContainKey("v");
        }
        assertAnswersLike(in);
    }

    @Test
    void shouldKeepBoundsThatDoNotHoldZero() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("Gemm", List.of("x", "w", "b"), List.of("sum")),
                node("Clip", List.of("sum", "low"), List.of("cut")),
                node("Gemm", List.of("cut", "v"), List.of("y")));
        List<OnnxTensor> constants = new ArrayList<>(twoWeights());
        constants.add(OnnxTensor.ofFloats("low", new long[0], 0.5f));
        Path in = write(model(nodes, constants, "y"));

        quantize(in, OPTIONS);

        assertThat(Models.operators(out())).containsEntry("Clip", 1);
        assertAnswersLike(in);
    }

    @Test
    void shouldQuantizeConstantsThatAreNodesAndFactorsOfBiases() throws IOException {
        List<OnnxNode> nodes = List.of(
                node("Constant", List.of(), List.of("w"), OnnxAttribute.of("value", weights("", WIDTH, WIDTH))),
                node("Gemm", List.of("x", "w", "b"), List.of("sum"), OnnxAttribute.of("beta", -3f)),
                node("MatMul", List.of("sum", "v"), List.of("y")));
        Path in = write(model(nodes, List.of(weights("b", WIDTH), weights("v", WIDTH, WIDTH)), "y"));

        QuantizationReport report = quantize(in, OPTIONS);

        assertThat(report.quantized()).isEqualTo(Map.of("Gemm", 1, "MatMul", 1));
        assertThat(Models.operators(out())).doesNotContainKey("Constant");
        assertAnswersLike(in);
    }

    @Test
    void shouldQuantizeOldModels() throws IOException {
        List<OnnxNode> nodes = new ArrayList<>(twoLayers());
        nodes.set(2, node("Gemm", List.of("hidden", "v", "b"), List.of("y")));
        OnnxFile model = model(nodes, twoWeights(), "y");
        model.setOpset("ai.onnx", 9);
        model.message().setNumber(1, 3);
        List<OnnxValue> inputs = new ArrayList<>(model.graph().inputs());
        inputs.add(OnnxValue.of("w", ElementType.FLOAT, List.of(Dimension.of(WIDTH), Dimension.of(WIDTH))));
        inputs.add(OnnxValue.of("b", ElementType.FLOAT, List.of(Dimension.of(WIDTH))));
        inputs.add(OnnxValue.of("v", ElementType.FLOAT, List.of(Dimension.of(WIDTH), Dimension.of(WIDTH))));
        model.graph().setInputs(inputs);
        Path in = write(model);

        quantize(in, OPTIONS.withPerChannel(true));

        assertThat(Models.optimized(out(), temp)).containsEntry("com.microsoft.QGemm", 2);
        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(file.graph().inputs()).extracting(OnnxValue::name).containsExactly("x");
        }
        assertAnswersLike(in);
    }

    @Test
    void shouldRaiseTheVersionOfOperatorsToTheFirstWithBytes() throws IOException {
        OnnxGraph graph = OnnxGraph.named("old");
        long[] image = {1, 4, 8, 8};
        graph.setNodes(List.of(
                node("Conv", List.of("x", "w"), List.of("c"), OnnxAttribute.of("pads", new long[] {1, 1, 1, 1})),
                node(
                        "BatchNormalization",
                        List.of("c", "one", "b", "b", "one"),
                        List.of("n"),
                        OnnxAttribute.of("spatial", 1)),
                node("Upsample", List.of("n"), List.of("u"), OnnxAttribute.of("scales", new float[] {1, 1, 2, 2})),
                node(
                        "Slice",
                        List.of("u"),
                        List.of("s"),
                        OnnxAttribute.of("starts", new long[] {1}),
                        OnnxAttribute.of("ends", new long[] {9}),
                        OnnxAttribute.of("axes", new long[] {3})),
                node("TopK", List.of("s"), List.of("y", "places"), OnnxAttribute.of("k", 3))));
        graph.setInitializers(List.of(
                weights("w", 4, 4, 3, 3), weights("b", 4), OnnxTensor.ofFloats("one", new long[] {4}, 1, 1, 1, 1)));
        graph.setInputs(List.of(OnnxValue.of("x", ElementType.FLOAT, dims(image))));
        graph.setOutputs(List.of(OnnxValue.of("y", ElementType.FLOAT, dims(1, 4, 16, 3))));
        Path in = write(OnnxFile.of(graph, 4, Map.of("ai.onnx", 8L), "a test"));
        Rows data = Rows.random(4, 3, 4, 8, 8);

        QuantizationReport report = Quantizer.quantize(in, out(), OPTIONS, data, Progress.NONE);

        assertThat(report.quantized()).isEqualTo(Map.of("Conv", 1));
        assertThat(report.calibrationRows()).isEqualTo(3);
        assertThat(Models.optimized(out(), temp)).containsEntry("QLinearConv", 1);
        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(file.opsets()).containsEntry("ai.onnx", 10L);
        }
        data.forEach(1, batch -> {
            List<Float> before = answers(in, batch);
            List<Float> after = answers(out(), batch);
            for (int i = 0; i < before.size(); i++) {
                assertThat(Math.abs(after.get(i) - before.get(i))).isLessThan(0.1f);
            }
        });
    }

    private static List<Float> answers(Path model, Dataset.Batch batch) throws IOException {
        return Models.answers(model, (_, sink) -> sink.accept(batch));
    }

    private static List<Dimension> dims(long... sizes) {
        return java.util.Arrays.stream(sizes).mapToObj(Dimension::of).toList();
    }

    @Test
    void shouldHaveTheGraphSimplifiedBeforeWhenAskedTo() throws IOException {
        List<OnnxNode> nodes = new ArrayList<>(twoLayers());
        nodes.set(2, node("Gemm", List.of("hidden", "doubled"), List.of("y")));
        nodes.addFirst(node("Add", List.of("v", "v"), List.of("doubled")));
        OnnxFile model = model(nodes, twoWeights(), "y");
        model.setMetadata("made", "here");
        Path in = write(model);

        QuantizationReport report = quantize(in, OPTIONS.withOptimize(true));

        assertThat(report.quantized()).isEqualTo(Map.of("Gemm", 2));
        try (OnnxFile file = OnnxFile.open(out())) {
            assertThat(Models.constants(file)).containsKey("doubled_quantized");
            assertThat(file.metadata()).containsEntry("made", "here");
            assertThat(file.producer()).isEqualTo("a test");
        }
        assertAnswersLike(in);
    }

    @Test
    void shouldLeaveABitFreeWhenAskedTo() throws IOException {
        Path in = write(model(twoLayers(), twoWeights(), "y"));

        QuantizationReport report = quantize(in, OPTIONS.withReduceRange(ReduceRange.ALWAYS));

        assertThat(report.reducedRange()).isEqualTo("it was asked for");
        try (OnnxFile file = OnnxFile.open(out())) {
            for (String name : List.of("w_quantized", "v_quantized")) {
                byte[] integers = Models.constants(file)
                        .get(name)
                        .raw()
                        .orElseThrow()
                        .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
                int most = 0;
                for (byte integer : integers) {
                    most = Math.max(most, Math.abs(integer));
                }
                assertThat(most).as(name).isEqualTo(64);
            }
        }
        assertAnswersLike(in);
    }

    @Test
    void shouldWriteScalesThatAreTakenFromAllRowsOfARunWhenDynamic() throws IOException {
        Path in = write(model(twoLayers(), twoWeights(), "y"));

        QuantizationReport report = Quantizer.quantize(in, out(), OPTIONS.withMode(Mode.DYNAMIC), null, Progress.NONE);

        assertThat(report.quantized()).isEqualTo(Map.of("Gemm", 2));
        assertThat(report.warnings()).singleElement().asString().contains("depends on the rows that it is run with");
        assertThat(Models.optimized(out(), temp)).containsEntry("com.microsoft.DynamicQuantizeMatMul", 2);
        try (OnnxModel model = OnnxModel.load(out(), SessionSettings.DEFAULT)) {
            assertThat(model.batching().kind()).isEqualTo(Batching.Kind.NONE);
        }
        assertAnswersLike(in);
    }

    @Test
    void shouldQuantizeConvolutionsDynamicallyWhenAskedTo() throws IOException {
        Path conv = ReferenceTest.model("conv");
        QuantizeOptions options = OPTIONS.withMode(Mode.DYNAMIC);

        QuantizationReport without = Quantizer.quantize(conv, out(), options, null, Progress.NONE);
        assertThat(without.quantized()).isEqualTo(Map.of("MatMul", 2));
        assertThat(without.left()).hasSize(3).containsKey("Conv 'conv0'");
        QuantizationReport with = Quantizer.quantize(conv, out(), options.withConvolutions(true), null, Progress.NONE);

        assertThat(with.quantized()).isEqualTo(Map.of("Conv", 3, "MatMul", 2));
        List<Float> before = Models.answers(conv, ReferenceTest.rows("conv"));
        List<Float> after = Models.answers(out(), ReferenceTest.rows("conv"));
        for (int i = 0; i < before.size(); i++) {
            assertThat(Math.abs(after.get(i) - before.get(i))).isLessThan(0.05f);
        }
    }

    @Test
    void shouldSayWhatCannotBeDoneAndWriteNothing() throws IOException {
        Path in = write(model(twoLayers(), twoWeights(), "y"));
        assertRefused(in, OPTIONS.withExcluded("nobody"), data(), "no node 'nobody' to exclude");
        assertRefused(in, OPTIONS, new Rows(new float[0], WIDTH), "no rows");
        float[] wrong = new float[WIDTH];
        wrong[3] = Float.POSITIVE_INFINITY;
        assertRefused(in, OPTIONS, new Rows(wrong, WIDTH), "expected finite values");
        assertRefused(in, OPTIONS.withExcluded("y").withExcluded("sum"), data(), "nothing to quantize: 2 nodes");
        quantize(in, OPTIONS);
        Path quantized = Files.move(out(), temp.resolve("quantized.onnx"));
        assertRefused(quantized, OPTIONS, data(), "quantized already");
        assertThatThrownBy(() -> Quantizer.quantize(in, out(), OPTIONS, null, Progress.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("needs calibration data");
    }

    private void assertRefused(Path in, QuantizeOptions options, Rows rows, String why) {
        assertThatThrownBy(() -> Quantizer.quantize(in, out(), options, rows, Progress.NONE))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageContaining(why);
        assertThat(out()).doesNotExist();
    }
}
