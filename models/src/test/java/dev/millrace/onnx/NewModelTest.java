// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models that are made here, and the elements of tensors.
class NewModelTest {
    private static final float[] VALUES = {0, -1.5f, 2, 65504, -0.0f, 0.25f};
    private static final int FLOAT_DATA = 4;
    private static final int INT32_DATA = 5;
    private static final int DOUBLE_DATA = 10;

    @TempDir
    Path temp;

    private static OperatorName operator(String name) {
        return new OperatorName("", name);
    }

    /// `y = x * w + b`, in two nodes, the second one with a wrong name at first.
    private static OnnxFile linear() {
        OnnxGraph graph = OnnxGraph.named("linear");
        OnnxNode sum = OnnxNode.of(operator("Sub"), "", List.of("product", "c"), List.of("z"));
        sum.setOperator(operator("Add"));
        sum.setInputs(List.of("product", "b"));
        sum.setOutputs(List.of("y"));
        graph.setNodes(List.of(
                OnnxNode.of(
                        operator("Gemm"),
                        "multiply",
                        List.of("x", "w"),
                        List.of("product"),
                        OnnxAttribute.of("alpha", 2f),
                        OnnxAttribute.of("transB", 1)),
                sum));
        graph.setInitializers(List.of(
                OnnxTensor.ofFloats("w", new long[] {1, 2}, 3, 5), OnnxTensor.ofFloats("b", new long[] {1}, 7)));
        graph.setInputs(
                List.of(OnnxValue.of("x", ElementType.FLOAT, List.of(Dimension.open("batch"), Dimension.of(2)))));
        graph.setOutputs(
                List.of(OnnxValue.of("y", ElementType.FLOAT, List.of(Dimension.open("batch"), Dimension.of(1)))));
        graph.setValueInfos(List.of());
        OnnxFile model = OnnxFile.of(graph, 8, Map.of("ai.onnx", 12L), "a test");
        model.setOpset("ai.onnx", 13);
        model.setOpset("ai.onnx.ml", 3);
        model.setMetadata("made", "before");
        model.setMetadata("made", "here");
        return model;
    }

    @Test
    void shouldRunWhatWasMade() throws IOException {
        Path file = temp.resolve("model.onnx");
        try (OnnxFile model = linear()) {
            model.check();
            model.write(file);
        }

        try (OnnxFile model = OnnxFile.open(file)) {
            model.check();
            assertThat(model.opsets()).isEqualTo(Map.of("ai.onnx", 13L, "ai.onnx.ml", 3L));
            assertThat(model.metadata()).isEqualTo(Map.of("made", "here"));
            assertThat(model.producer()).isEqualTo("a test");
        }
        if (temp.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            assertThat(Files.getPosixFilePermissions(file)).contains(PosixFilePermission.OWNER_READ);
        }
        try (OnnxSession session = OnnxSession.open(file, SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor x = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(2, 2);
                Tensor y = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            for (int i = 0; i < 4; i++) {
                x.setReal(i, i + 1);
            }
            runner.run(new Tensor[] {x}, new Tensor[] {y});
            assertThat(y.getReal(0)).isEqualTo(2 * (3 + 10) + 7);
            assertThat(y.getReal(1)).isEqualTo(2 * (9 + 20) + 7);
        }
    }

    @Test
    void shouldReadAttributesAsTheyWereMade() {
        OnnxTensor tensor = OnnxTensor.ofLongs("", new long[] {2}, 4, -5);
        OnnxNode node = OnnxNode.of(
                new OperatorName("com.example", "Any"),
                "n",
                List.of("a", ""),
                List.of("b"),
                OnnxAttribute.of("real", -0.5f),
                OnnxAttribute.of("text", "äöü"),
                OnnxAttribute.of("tensor", tensor),
                OnnxAttribute.of("integers", new long[] {1, -2}),
                OnnxAttribute.of("reals", new float[] {1, Float.NaN}),
                OnnxAttribute.of("texts", List.of("x", "")));

        assertThat(node.operator()).hasToString("com.example.Any");
        assertThat(node.inputs()).containsExactly("a", "");
        assertThat(node.attribute("real").orElseThrow().real()).isEqualTo(-0.5f);
        assertThat(node.attribute("text").orElseThrow().text()).isEqualTo("äöü");
        assertThat(node.attribute("tensor").orElseThrow().tensor().flatMap(made -> made.integers(2)))
                .contains(new long[] {4, -5});
        assertThat(node.attribute("integers").orElseThrow().integers()).containsExactly(1, -2);
        assertThat(node.attribute("reals").orElseThrow().reals()).containsExactly(1, Float.NaN);
        assertThat(node.attribute("texts").orElseThrow().texts()).containsExactly("x", "");
    }

    @Test
    void shouldReadFloatsHoweverTheyAreWritten() throws IOException {
        long[] dims = {2, 3};
        assertFloats(OnnxTensor.ofFloats("raw", dims, VALUES));
        ByteBuffer doubles = ByteBuffer.allocate(8 * VALUES.length).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer halves = ByteBuffer.allocate(2 * VALUES.length).order(ByteOrder.LITTLE_ENDIAN);
        long[] bits = new long[VALUES.length];
        for (int i = 0; i < VALUES.length; i++) {
            doubles.putDouble(VALUES[i]);
            halves.putShort(Float.floatToFloat16(VALUES[i]));
            bits[i] = Float.floatToFloat16(VALUES[i]) & 0xFFFF;
        }
        assertFloats(OnnxTensor.of("doubles", ElementType.DOUBLE, dims, doubles.array()));
        assertFloats(OnnxTensor.of("halves", ElementType.FLOAT16, dims, halves.array()));
        assertFloats(new OnnxTensor(numbers("numbers", ElementType.FLOAT16).setNumbers(INT32_DATA, bits)));
        assertFloats(new OnnxTensor(numbers("reals", ElementType.FLOAT).setReals(FLOAT_DATA, VALUES)));
        assertFloats(new OnnxTensor(
                numbers("many", ElementType.DOUBLE).setDoubles(DOUBLE_DATA, 0, -1.5, 2, 65504, -0., .25)));
    }

    private static ProtoMessage numbers(String name, ElementType type) {
        return new ProtoMessage().setNumbers(1, 2, 3).setNumber(2, type.code()).setText(8, name);
    }

    private static void assertFloats(OnnxTensor tensor) throws IOException {
        try (OnnxFile model = linear()) {
            assertThat(TensorValues.floats(model, tensor)).as(tensor.name()).containsExactly(VALUES);
        }
    }

    @Test
    void shouldReadBrainFloatsAndThoseOfOtherFiles() throws IOException {
        Files.write(
                temp.resolve("weights"),
                ByteBuffer.allocate(12)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putFloat(9)
                        .putFloat(-1)
                        .putFloat(4)
                        .array());
        Path file = temp.resolve("model.onnx");
        try (OnnxFile made = linear()) {
            made.write(file);
        }
        try (OnnxFile model = OnnxFile.open(file)) {
            OnnxTensor brain = OnnxTensor.of(
                    "b", ElementType.BFLOAT16, new long[] {2}, new byte[] {0, 0x40, (byte) 0x80, (byte) 0xBF});
            assertThat(TensorValues.floats(model, brain)).containsExactly(2, -1);
            ProtoMessage external = new ProtoMessage()
                    .setNumbers(1, 2)
                    .setNumber(2, ElementType.FLOAT.code())
                    .setText(8, "e")
                    .setNumber(14, 1)
                    .setMessages(
                            13,
                            List.of(
                                    new ProtoMessage().setText(1, "location").setText(2, "weights"),
                                    new ProtoMessage().setText(1, "offset").setText(2, "4")));
            assertThat(TensorValues.floats(model, new OnnxTensor(external))).containsExactly(-1, 4);
            assertThatThrownBy(() -> TensorValues.floats(model, OnnxTensor.ofLongs("l", new long[] {1}, 1)))
                    .isInstanceOf(InvalidModelException.class)
                    .hasMessageContaining("expected floats");
        }
    }
}
