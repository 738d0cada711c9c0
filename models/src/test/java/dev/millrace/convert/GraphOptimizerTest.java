// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.ProtoMessage;
import dev.millrace.ort.OrtFailure;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GraphOptimizerTest {
    private static final Path FRAUD = Path.of("zoo/fraud/1/model.onnx");

    @TempDir
    Path temp;

    @ParameterizedTest
    @EnumSource
    void shouldGiveTheSameAnswersWithFewerNodesAndTheSameOrigin(GraphOptimizer.Level level) throws IOException {
        Path out = temp.resolve("out.onnx");

        GraphOptimizer.Result result = GraphOptimizer.optimize(FRAUD, out, level);

        assertThat(result.agreement().isCompared()).isTrue();
        assertThat(result.agreement().runs()).isPositive();
        assertThat(result.nodesBefore()).isEqualTo(8);
        if (level != GraphOptimizer.Level.BASIC) {
            assertThat(result.nodes()).isLessThan(8); // Relu goes into Gemm
        }
        double[] before = Graphs.answers(FRAUD, 9, true, 3);
        assertThat(Graphs.answers(out, 9, true, 3)).containsExactly(before, within(1e-5));
        try (OnnxFile original = OnnxFile.open(FRAUD);
                OnnxFile made = OnnxFile.open(out)) {
            assertThat(made.graph().nodes()).hasSize(result.nodes());
            assertThat(made.producer()).isEqualTo(original.producer());
            assertThat(made.modelVersion()).isEqualTo(original.modelVersion());
            assertThat(made.doc()).isEqualTo(original.doc());
            assertThat(made.metadata())
                    .containsAllEntriesOf(original.metadata())
                    .hasEntrySatisfying(
                            "millrace.optimized",
                            how -> assertThat(how)
                                    .startsWith(level.name().toLowerCase(Locale.ROOT) + " by ONNX Runtime "));
        }
    }

    @Test
    void shouldFoldConstants() throws IOException {
        Path in = new Graphs()
                .input("x", -1, 2)
                .output("y", -1, 2)
                .weights("a", 2)
                .weights("b", 2)
                .node("Add: a, b -> c")
                .node("Mul: x, c -> y")
                .write(temp.resolve("in.onnx"));

        GraphOptimizer.Result result =
                GraphOptimizer.optimize(in, temp.resolve("out.onnx"), GraphOptimizer.Level.BASIC);

        assertThat(result.nodes()).isOne();
        assertThat(result.agreement().equal()).isTrue();
    }

    @Test
    void shouldKeepTensorsThatAreInOtherFilesWithTheModel() throws IOException {
        Path in = Files.createDirectories(temp.resolve("from")).resolve("in.onnx");
        new Graphs()
                .input("x", -1, 2)
                .output("y", -1, 3)
                .weights("w", 2, 3)
                .node("MatMul: x, w -> y")
                .write(in);
        outsource(in);
        double[] before = Graphs.answers(in, 3, true, 3);
        Path out = Files.createDirectories(temp.resolve("to")).resolve("out.onnx");

        GraphOptimizer.optimize(in, out, GraphOptimizer.Level.EXTENDED);

        assertThat(Graphs.answers(out, 3, true, 3)).containsExactly(before);
    }

    /// Puts the constants of a model into a file beside it.
    private static void outsource(Path file) throws IOException {
        try (OnnxFile model = OnnxFile.open(file)) {
            List<OnnxTensor> tensors = new ArrayList<>();
            for (OnnxTensor tensor : model.graph().initializers()) {
                byte[] raw = tensor.raw().orElseThrow().toArray(ValueLayout.JAVA_BYTE);
                Files.write(file.resolveSibling("weights"), raw);
                ProtoMessage location =
                        new ProtoMessage().setText(1, "location").setText(2, "weights");
                tensor.message().clear(9).setNumber(14, 1).setMessages(13, List.of(location));
                tensors.add(tensor);
            }
            model.graph().setInitializers(tensors);
            model.write(file);
        }
    }

    @Test
    void shouldWriteNothingWhenTheModelCannotBeLoaded() throws IOException {
        Path in = new Graphs()
                .input("x", -1, 2)
                .output("y", -1, 2)
                .node("Nonsense: x -> y")
                .write(temp.resolve("in.onnx"));
        Path out = temp.resolve("out.onnx");

        assertThatThrownBy(() -> GraphOptimizer.optimize(in, out, GraphOptimizer.Level.ALL))
                .isInstanceOf(OrtFailure.class)
                .hasMessageContaining("Nonsense");
        assertThatThrownBy(() -> GraphOptimizer.optimize(
                        Files.writeString(temp.resolve("text"), "text"), out, GraphOptimizer.Level.ALL))
                .isInstanceOf(InvalidModelException.class);
        assertThat(out).doesNotExist();
    }
}
