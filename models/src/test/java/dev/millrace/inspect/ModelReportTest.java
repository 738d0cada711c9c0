// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import static dev.millrace.version.Proto.FLOAT;
import static dev.millrace.version.Proto.INT64;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.join;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.output;
import static dev.millrace.version.Proto.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.inspect.ModelReport.Obstacle;
import dev.millrace.inspect.ModelReport.Parameters;
import dev.millrace.model.Batching;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is told of models.
class ModelReportTest {
    @TempDir
    Path temp;

    private static Path file(String name) {
        try {
            return Path.of(ModelReportTest.class.getResource("/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private ModelReport report(byte[] model) throws IOException {
        return ModelReport.of(Files.write(temp.resolve("model.onnx"), model));
    }

    private static OperatorName onnx(String name) {
        return new OperatorName("", name);
    }

    @Test
    void shouldTellTheShapesThatOnnxRuntimeGives() throws IOException {
        Map<String, Fact> facts;
        try (OnnxFile model = OnnxFile.open(file("inspect/shapes.onnx"))) {
            facts = Estimate.facts(model);
        }
        List<String> lines = Files.readAllLines(file("inspect/shapes.txt"));
        List<String> unknown = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] words = line.split(" ", -1);
            long[] expected = words[1].isEmpty()
                    ? new long[0]
                    : Arrays.stream(words[1].split(","))
                            .mapToLong(Long::parseLong)
                            .toArray();
            Fact fact = facts.get(words[0]);
            if (fact == null) {
                unknown.add(words[0]);
            } else {
                assertThat(fact.shape()).as(words[0]).isEqualTo(expected);
            }
        }
        assertThat(lines.size()).isGreaterThan(100);
        assertThat(unknown).isEmpty();
    }

    @Test
    void shouldTellAllOfAModelWithEverything() throws IOException {
        ModelReport report = ModelReport.of(file("inspect/everything.onnx"));

        assertThat(report.origin().metadata()).hasSize(2);
        assertThat(report.operators())
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        new OperatorName("acme", "Twice"),
                        2,
                        onnx("Add"),
                        2,
                        onnx("MatMul"),
                        1,
                        new OperatorName("acme", "FourTimes"),
                        1,
                        onnx("Constant"),
                        1,
                        onnx("If"),
                        1,
                        onnx("Mul"),
                        1,
                        onnx("Identity"),
                        1));
        assertThat(report.parameters()).containsExactly(new Parameters(ElementType.FLOAT, 3, 15 + 2 + 1, 4 * 18));
        assertThat(report.externalFiles()).containsExactly("everything.bin");
        assertThat(report.openDimensions()).isEqualTo(Map.of("batch", List.of("x[0]", "y[0]")));
        // 5 x 3 products, two functions of one addition each, the bias, and the branch that multiplies.
        assertThat(report.operations().count()).isEqualTo(2 * 15 + 3 + 3 + 3 + 3);
        assertThat(report.operations().isLeast()).isFalse();
        assertThat(report.notOnCuda()).isEmpty();
        assertThat(report.inputs()).extracting(ModelReport.Value::describeShape).containsExactly("[batch, 5]", "[]");
        assertThat(report.obstacle()).contains(none("input 'flag' is a scalar"));
    }

    @Test
    void shouldCountTheOperationsOfConvolutionsAndPools() throws IOException {
        ModelReport report = report(model(
                17,
                node("Conv", names("x", "w"), names("c")),
                node("MaxPool", names("c"), names("y"), attribute("kernel_shape", 2, 2), attribute("strides", 2, 2)),
                field(5, tensor("w", FLOAT, new long[] {4, 3, 3, 3}, field(9, new byte[4 * 108]))),
                input("x", FLOAT, -1, 3, 8, 8),
                output("y", FLOAT, -1, 4, 3, 3)));

        assertThat(report.operations().count()).isEqualTo(2L * 4 * 6 * 6 * 27 + 4 * 3 * 3 * 4);
        assertThat(report.operations().uncounted()).isEmpty();
        assertThat(report.obstacle()).isEmpty();
    }

    private static byte[] attribute(String name, long... values) {
        return dev.millrace.version.Proto.attribute(name, values);
    }

    @Test
    void shouldSayWhatWasNotCountedAndAssumed() throws IOException {
        ModelReport report = report(model(
                17,
                node("Mystery", names("x"), names("m"), field(7, "acme")),
                node("Relu", names("m"), names("r")),
                node("Relu", names("x"), names("y")),
                input("x", FLOAT, -1, -1, 4),
                output("y", FLOAT, -1, -1, 4)));

        assertThat(report.operations().count()).isEqualTo(4);
        assertThat(report.operations().isLeast()).isTrue();
        assertThat(report.operations().uncounted())
                .isEqualTo(Map.of(new OperatorName("acme", "Mystery"), 1, onnx("Relu"), 1));
        assertThat(report.operations().assumed()).containsExactly("n");
        assertThat(report.obstacle()).contains(none("input 'x' has rows of variable size, shape [n, n, 4]"));
        assertThat(report.notOnCuda()).isEqualTo(Map.of(new OperatorName("acme", "Mystery"), "no kernel"));
    }

    @Test
    void shouldCountOneOfTheRowsThatAModelAlwaysTakesTogether() throws IOException {
        assertThat(perRow(input("x", FLOAT, 8, 4), output("y", FLOAT, 8, 4))).isEqualTo(4);
        assertThat(perRow(input("x", FLOAT, 8, 4), output("y", FLOAT))).isEqualTo(4);
        assertThat(perRow(input("x", FLOAT, -1, 4), output("y", FLOAT, -1, 4))).isEqualTo(4);
        // What the inputs or outputs do not agree on is no batch.
        assertThat(perRow(input("x", FLOAT, 8, 4), output("y", FLOAT, 4, 8))).isEqualTo(32);
        assertThat(perRow(input("x", FLOAT, 8, 4), input("z", FLOAT, 3), output("y", FLOAT, 8, 4)))
                .isEqualTo(32);
        assertThat(perRow(input("x", FLOAT, 8, 4), input("z", FLOAT), output("y", FLOAT, 8, 4)))
                .isEqualTo(32);
        assertThat(perRow(input("x", FLOAT, 0, 4), output("y", FLOAT, 0, 4))).isZero();
    }

    /// y = relu(x), with these inputs and outputs.
    private long perRow(byte[]... values) throws IOException {
        return report(model(17, node("Relu", names("x"), names("y")), join(values)))
                .operations()
                .count();
    }

    /// What is given but not known is not what is left out.
    @Test
    void shouldNotGuessShapesThatDataDecide() throws IOException {
        Path file = Files.write(
                temp.resolve("model.onnx"),
                model(
                        17,
                        node("Squeeze", names("x", "axes"), names("s")),
                        node("Squeeze", names("x"), names("all")),
                        node("Relu", names("s"), names("y")),
                        input("x", FLOAT, -1, 1, 2),
                        input("axes", 7, 1),
                        output("y", FLOAT, -1, 2),
                        output("all", FLOAT, -1)));

        try (OnnxFile model = OnnxFile.open(file)) {
            assertThat(Estimate.facts(model)).doesNotContainKeys("s", "y").containsEntry("all", Fact.of(2));
        }
    }

    @Test
    void shouldEndWhenFunctionsMultiply() throws IOException {
        byte[][] functions = new byte[41][];
        functions[0] = model(
                17,
                node("F1", names("x"), names("y"), field(7, "own")),
                input("x", FLOAT, -1, 2),
                output("y", FLOAT, -1, 2));
        for (int i = 1; i < functions.length; i++) {
            String next = i == functions.length - 1 ? "Relu" : "F" + (i + 1);
            String domain = next.equals("Relu") ? "" : "own";
            functions[i] = field(
                    25,
                    field(1, "F" + i),
                    field(4, "a"),
                    field(5, "c"),
                    field(7, field(1, "a"), field(2, "b"), field(4, next), field(7, domain)),
                    field(7, field(1, "b"), field(2, "c"), field(4, next), field(7, domain)),
                    field(10, "own"));
        }

        ModelReport report = report(join(functions));

        assertThat(report.operations().isLeast()).isTrue();
        assertThat(report.operations().uncounted()).isNotEmpty();
    }

    @Test
    void shouldKnowTheKernelsOfCudaByVersion() {
        assertThat(CudaKernels.obstacle(onnx("Gemm"), 17)).isEmpty();
        assertThat(CudaKernels.obstacle(onnx("MaxPool"), 21)).isEmpty();
        assertThat(CudaKernels.obstacle(onnx("MaxPool"), 22)).contains("no kernel for version 22");
        assertThat(CudaKernels.obstacle(onnx("Constant"), 17)).isEmpty();
        assertThat(CudaKernels.obstacle(onnx("DynamicQuantizeLinear"), 17)).isEmpty();
        assertThat(CudaKernels.obstacle(new OperatorName("ai.onnx.ml", "TreeEnsembleClassifier"), 3))
                .contains("no kernel");
    }

    private static Obstacle none(String reason) {
        return new Obstacle(Batching.Kind.NONE, reason);
    }

    @Test
    void shouldSayWhyRowsCannotShareARun() throws IOException {
        assertThat(report(model(17, node("Relu", names("x"), names("y")), input("x", 8, -1), output("y", 8, -1)))
                        .obstacle())
                .contains(none("'x' is not a numeric tensor"));
        assertThat(report(model(17, node("Relu", names("x"), names("y")), input("x", 1, 1, 4), output("y", 1, 1, 4)))
                        .obstacle())
                .contains(new Obstacle(Batching.Kind.ONE_ROW, "the leading dimension is fixed to 1"));
        assertThat(report(model(17, node("Relu", names("x"), names("y")), input("x", 1, 3, 4), output("y", 1, 3, 4)))
                        .obstacle())
                .contains(none("input 'x' has no variable leading dimension, shape [3, 4]"));
        assertThat(report(model(
                                17,
                                node("DynamicQuantizeLinear", names("x"), names("y", "s", "z")),
                                input("x", FLOAT, -1, 4),
                                output("y", 2, -1, 4)))
                        .obstacle())
                .contains(none("DynamicQuantizeLinear takes its scale from all rows of a run, so that they affect"
                        + " each other"));
    }

    @Test
    void shouldNotRunOutOfStackWhenFunctionsCallEachOtherInALongLine() throws IOException {
        int count = 5000;
        byte[][] parts = new byte[count + 1][];
        parts[0] = model(
                17,
                node("F1", names("x"), names("y"), field(7, "own")),
                input("x", FLOAT, -1, 2),
                output("y", FLOAT, -1, 2));
        for (int i = 1; i <= count; i++) {
            byte[] call =
                    join(field(1, "a"), field(2, "b"), field(4, "F" + (i + 1)), field(7, i == count ? "" : "own"));
            parts[i] = field(25, field(1, "F" + i), field(4, "a"), field(5, "b"), field(7, call), field(10, "own"));
        }

        ModelReport report = report(join(parts));

        assertThat(report.functions()).hasSize(count);
        assertThat(report.operations().isLeast()).isTrue();
    }

    /// A shape of very many dimensions is not copied from value to value.
    @Test
    void shouldNotKeepShapesThatNoKernelTakes() throws IOException {
        long[] dims = new long[100];
        Arrays.fill(dims, 1);
        Path file = Files.write(
                temp.resolve("model.onnx"),
                model(
                        12,
                        node(
                                "Unsqueeze",
                                names("x"),
                                names("wide"),
                                attribute("axes", LongStream.range(2, 70).toArray())),
                        node("Relu", names("wide"), names("y")),
                        field(5, tensor("w", FLOAT, dims, field(9, new byte[4]))),
                        input("x", FLOAT, -1, 2),
                        output("y", FLOAT)));

        try (OnnxFile model = OnnxFile.open(file)) {
            model.check();
            assertThat(Estimate.facts(model)).containsKey("x").doesNotContainKeys("wide", "y");
            assertThat(Estimate.facts(model).get("w")).isEqualTo(Fact.UNKNOWN);
        }
    }

    @Test
    void shouldRefuseNumbersWithoutAnEnd() {
        byte[] endless = new byte[10];
        Arrays.fill(endless, (byte) 0xFF);
        byte[] dims = join(field(1, endless), field(2, FLOAT), field(8, "w"));
        byte[] last = tensor("w", INT64, new long[] {2}, field(7, new byte[] {1, (byte) 0x80}));
        byte[] axes = field(5, field(1, "axes"), field(8, endless), field(20, 7));
        byte[][] graphs = {
            field(5, dims),
            field(5, last),
            // In an attribute, whose numbers are looked at first when operations are counted.
            join(input("x", FLOAT, -1, 2), node("Unsqueeze", names("x"), names("y"), axes))
        };

        for (byte[] graph : graphs) {
            assertThatThrownBy(() -> report(join(field(1, 9), field(8, field(2, 11)), field(7, graph))))
                    .isInstanceOf(InvalidModelException.class)
                    .hasMessageContaining("of a message does not fit it");
        }
    }

    /// Nothing but the exception that is documented, whatever is done to a file.
    @Test
    void shouldThrowNothingElseWhenModelsAreDamaged() throws IOException {
        damage(0, 200);
    }

    @Test
    @Tag("slow")
    void shouldThrowNothingElseWhenManyModelsAreDamaged() throws IOException {
        damage(200, 10_000);
    }

    private void damage(int firstSeed, int cases) throws IOException {
        byte[] model = Files.readAllBytes(file("inspect/shapes.onnx"));
        byte[] small = Files.readAllBytes(file("inspect/everything.onnx"));
        Files.copy(file("inspect/everything.bin"), temp.resolve("everything.bin"));
        int told = 0;
        for (int seed = firstSeed; seed < firstSeed + cases; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] damaged = (seed % 3 == 0 ? small : model).clone();
            for (int i = random.nextInt(1, 4); i > 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(-128, 128);
            }
            try {
                report(damaged);
                told++;
            } catch (InvalidModelException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotBlank();
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(told).isGreaterThan(cases / 5);
    }
}
