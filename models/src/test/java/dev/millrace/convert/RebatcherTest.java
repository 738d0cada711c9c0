// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RebatcherTest {
    @TempDir
    Path temp;

    private Rebatcher.Result rebatched(Path in) throws IOException {
        Path out = temp.resolve("out.onnx");
        Rebatcher.Result result = Rebatcher.rebatch(in, out, "rows");
        double[] alone = Graphs.answers(in, 5, false, 7);
        assertThat(Graphs.answers(out, 5, true, 7)).hasSameSizeAs(alone).containsExactly(alone, within(1e-4));
        try (OnnxModel model = OnnxModel.load(out, SessionSettings.DEFAULT)) {
            assertThat(model.batching().kind()).isEqualTo(Batching.Kind.ROWS);
        }
        try (OnnxFile model = OnnxFile.open(out)) {
            for (OnnxValue value : Rebatcher.inputs(model.graph())) {
                assertThat(value.shape().orElseThrow().getFirst()).isEqualTo(Dimension.open("rows"));
            }
            for (OnnxValue value : model.graph().outputs()) {
                assertThat(value.shape().orElseThrow().getFirst()).isEqualTo(Dimension.open("rows"));
            }
        }
        return result;
    }

    private void refused(Path in, String... says) {
        Path out = temp.resolve("out.onnx");
        assertThatThrownBy(() -> Rebatcher.rebatch(in, out, "batch"))
                .isInstanceOf(ConversionFailed.class)
                .message()
                .contains(says);
        assertThat(out).doesNotExist();
    }

    private Path file() {
        return temp.resolve("in.onnx");
    }

    @Test
    void shouldTakeMoreRowsWhenOnlyTheDeclarationWasInTheWay() throws IOException {
        Rebatcher.Result result = rebatched(Graphs.resource("models/one_row.onnx"));

        assertThat(result.changed()).isEmpty();
        assertThat(result.inputs()).containsExactly("x");
        assertThat(result.outputs()).containsExactly("y");
        assertThat(result.batches()).contains(1, 8);
    }

    @Test
    void shouldChangeReshapesToAFixedRow() throws IOException {
        Rebatcher.Result result = rebatched(new Graphs()
                .input("x", 1, 1, 4, 4)
                .output("y", 1, 3)
                .between("flat", 1, 16)
                .longs("row", 1, 16)
                .longs("square", 1, -1, 2, 2)
                .weights("k", 2, 1, 3, 3)
                .weights("w", 16, 3)
                .node("Conv: x, k -> c")
                .node("again=Reshape: c, square -> squares")
                .node("Concat: squares, squares -> both", OnnxAttribute.of("axis", 1))
                .node("flatten=Reshape: both, row -> flat")
                .node("MatMul: flat, w -> y")
                .write(file()));

        assertThat(result.changed()).containsExactly("Reshape 'again'", "Reshape 'flatten'");
        try (OnnxFile model = OnnxFile.open(temp.resolve("out.onnx"))) {
            assertThat(model.metadata()).containsEntry("color", "blue");
            assertThat(model.producer()).isEqualTo("a test");
            assertThat(model.graph().initializers())
                    .extracting(OnnxTensor::name)
                    .containsExactly("k", "w", "squares_shape", "flat_shape");
            assertThat(model.graph().valueInfos().getFirst().shape().orElseThrow())
                    .containsExactly(Dimension.open("rows"), Dimension.of(16));
        }
    }

    @Test
    void shouldFollowRowsThatAreTakenApartAndPutTogetherAgain() throws IOException {
        Rebatcher.Result result = rebatched(new Graphs()
                .input("x", 1, 2, 6)
                .output("y", 1, 4, 3)
                .longs("parts", 4, 3)
                .longs("whole", 1, 4, 3)
                .node("Reshape: x, parts -> apart")
                .node("Softmax: apart -> soft", OnnxAttribute.of("axis", 1))
                .node("Reshape: soft, whole -> y")
                .write(file()));

        assertThat(result.changed()).hasSize(2);
        assertThat(result.equal()).isTrue();
    }

    @Test
    void shouldFollowTheBatchToOtherDimensions() throws IOException {
        Rebatcher.Result result = rebatched(new Graphs()
                .input("x", 1, 3, 2)
                .output("y", 1, 6)
                .longs("at", 0)
                .longs("keep", 0, 0, 2)
                .longs("flat", 1, 6)
                .node("Transpose: x -> turned", OnnxAttribute.of("perm", new long[] {1, 0, 2}))
                .node("Unsqueeze: turned, at -> deep")
                .node("Squeeze: deep, at -> shallow")
                .node("Reshape: shallow, keep -> same")
                .node("Transpose: same -> back", OnnxAttribute.of("perm", new long[] {1, 0, 2}))
                .node("last=Reshape: back, flat -> y")
                .write(file()));

        assertThat(result.changed()).containsExactly("Reshape 'last'");
    }

    @Test
    void shouldFollowTheBatchWhenDimensionsBeforeItAreSummedUp() throws IOException {
        rebatched(new Graphs()
                .input("x", 1, 1, 4)
                .output("y", 1)
                .longs("second", 1)
                .longs("first", 0)
                .node("Transpose: x -> turned", OnnxAttribute.of("perm", new long[] {1, 2, 0}))
                .node("ReduceSum: turned, second -> sum", OnnxAttribute.of("keepdims", 0))
                .node("Squeeze: sum, first -> y")
                .write(file()));
        rebatched(new Graphs()
                .input("x", 1, 1, 4)
                .output("y", 1, 1)
                .node("Transpose: x -> turned", OnnxAttribute.of("perm", new long[] {2, 1, 0}))
                .node(
                        "ReduceMax: turned -> most",
                        OnnxAttribute.of("keepdims", 0),
                        OnnxAttribute.of("axes", new long[] {-3}))
                .node("Transpose: most -> back")
                .longs("shape", 1, 1)
                .node("Reshape: back, shape -> y")
                .write(file()));
    }

    @Test
    void shouldSayWhichNodeTakesTheBatchAwayWhenAllIsSummedUpBefore() throws IOException {
        refused(
                new Graphs()
                        .input("x", 1, 1, 4)
                        .output("y")
                        .longs("last", 1, 2)
                        .longs("first", 0)
                        .node("Transpose: x -> turned", OnnxAttribute.of("perm", new long[] {1, 2, 0}))
                        .node("ReduceSum: turned, last -> sum", OnnxAttribute.of("keepdims", 0))
                        .node("last=Squeeze: sum, first -> y")
                        .write(file()),
                "node Squeeze 'last' takes the batch dimension away");
    }

    @Test
    void shouldNotTakeANameThatABranchHas() throws IOException {
        Graphs branch = new Graphs()
                .output("negative", -1, 4)
                .node("Neg: x -> flat_shape")
                .node("Identity: flat_shape -> negative");
        Graphs other = new Graphs().output("positive", -1, 4).node("Abs: x -> positive");

        rebatched(new Graphs()
                .input("x", 1, 4)
                .output("y", 1, 4)
                .longs("row", 1, 4)
                .node("If: true -> picked", branch.body("then_branch"), other.body("else_branch"))
                .node("Reshape: picked, row -> flat")
                .node("Relu: flat -> y")
                .constant("true", OnnxTensor.of("", ElementType.BOOL, new long[0], new byte[] {1}))
                .write(file()));

        try (OnnxFile model = OnnxFile.open(temp.resolve("out.onnx"))) {
            assertThat(model.graph().initializers())
                    .extracting(OnnxTensor::name)
                    .containsExactly("flat_shape_2");
        }
    }

    @Test
    void shouldFlattenEachRowAloneAndResizeAsManyAsCome() throws IOException {
        Rebatcher.Result result = rebatched(new Graphs()
                .input("x", 1, 1, 2, 2)
                .output("y", 1, 16)
                .longs("sizes", 1, 1, 4, 4)
                .node("larger=Resize: x, , , sizes -> big", OnnxAttribute.of("mode", "nearest"))
                .node("flat=Flatten: big -> y", OnnxAttribute.of("axis", 0))
                .write(file()));

        assertThat(result.changed()).containsExactly("Resize 'larger'", "Flatten 'flat'");
    }

    @Test
    void shouldReadShapesOfConstantNodes() throws IOException {
        rebatched(new Graphs()
                .input("x", 1, 4)
                .output("y", 1, 2, 2)
                .node("Relu: x -> r")
                .node("Reshape: r, shape -> y")
                .constant("shape", OnnxTensor.ofLongs("", new long[] {3}, 1, 2, 2))
                .write(file()));
    }

    @Test
    void shouldNameWhatMixesRows() throws IOException {
        refused(
                new Graphs()
                        .input("x", 1, 4)
                        .output("y", 1, 4)
                        .node("Relu: x -> r")
                        .node("mix=Softmax: r -> s", OnnxAttribute.of("axis", 0))
                        .node("Neg: s -> y")
                        .write(file()),
                "output 'y' of a row is another when it is run with others",
                "node Softmax 'mix' makes 's' another for a row that has company");
    }

    @Test
    void shouldNameWhatDoesNotTakeMoreRows() throws IOException {
        refused(
                new Graphs()
                        .input("x", 1, 4)
                        .output("y", 1, 6)
                        .weights("more", 1, 2)
                        .node("join=Concat: x, more -> y", OnnxAttribute.of("axis", 1))
                        .write(file()),
                "join");
        refused(
                new Graphs()
                        .input("x", 1, 4)
                        .output("y", 4)
                        .longs("first", 0)
                        .node("drop=Squeeze: x, first -> y")
                        .write(file()),
                "node Squeeze 'drop' takes the batch dimension away");
        refused(
                new Graphs()
                        .input("x", 1, 4)
                        .output("y", 1, 4)
                        .output("z", 1)
                        .weights("one", 1)
                        .node("Relu: x -> y")
                        .node("Neg: one -> z")
                        .write(file()),
                "output 'z' does not depend on the rows");
        refused(
                new Graphs()
                        .input("x", 1, 4)
                        .output("y", 1)
                        .longs("all", 0, 1)
                        .node("sum=ReduceSum: x, all -> y", OnnxAttribute.of("keepdims", 0))
                        .write(file()),
                "output 'y' has the shape [] for one row");
    }

    @Test
    void shouldRefuseInputsThatAreNotOneRow() throws IOException {
        refused(Graphs.resource("models/rows.onnx"), "input 'x' has a leading dimension of any size already");
        refused(
                new Graphs()
                        .input("x", 1, 2)
                        .input("s")
                        .output("y", 1, 2)
                        .node("Add: x, s -> y")
                        .write(file()),
                "input 's' is a scalar");
        refused(Graphs.resource("models/fixed_batch_of_two.onnx"), "leading dimension of 2, expected 1");
        refused(
                new Graphs()
                        .input("x", 1, -1)
                        .output("y", 1, -1)
                        .node("Relu: x -> y")
                        .write(file()),
                "input 'x' has rows of variable size (dimension 1)");
        refused(
                new Graphs()
                        .input("x", 1, 1L << 20, 1L << 20, 1L << 20, 1L << 20)
                        .output("y", 1, 1)
                        .longs("shape", 1, 1)
                        .node("ReduceMax: x -> most", OnnxAttribute.of("keepdims", 0))
                        .node("Reshape: most, shape -> y")
                        .write(file()),
                "its rows are too large for 8 of them to be tried");
        Path named = new Graphs()
                .input("x", 1, 4)
                .output(OnnxValue.of("y", ElementType.FLOAT, List.of(Dimension.of(1), Dimension.open("batch"))))
                .node("Relu: x -> y")
                .write(file());
        refused(named, "a dimension is called 'batch' already");
    }

    /// Of the models kept elsewhere those that take one row: digits, faces, and networks for pictures.
    @Test
    void shouldTakeMoreRowsOfRealModels() throws IOException {
        for (Path model : Graphs.kept()) {
            String name = model.getFileName().toString();
            switch (name) {
                case "mnist.onnx",
                        "ultraface.onnx",
                        "light_squeezenet.onnx",
                        "light_shufflenet.onnx",
                        "light_resnet50.onnx" -> rebatched(model);
                default -> {
                    Path out = Files.createTempFile(temp, "none", "");
                    assertThatThrownBy(() -> Rebatcher.rebatch(model, out, "batch"))
                            .as(name)
                            .isInstanceOf(ConversionFailed.class);
                    assertThat(out).isEmptyFile();
                }
            }
        }
    }
}
