// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NoLeaks;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.SessionSettings.Arena;
import dev.millrace.ort.SessionSettings.Optimization;
import dev.millrace.ort.ValueInfo.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(NoLeaks.class)
class OnnxSessionTest {
    @TempDir
    Path temp;

    private static OnnxSession open(String model) {
        return OnnxSession.open(TestModels.file(model), SessionSettings.DEFAULT);
    }

    @ParameterizedTest
    @EnumSource
    void shouldTellTensorsOfEveryDatatype(DataType type) {
        try (OnnxSession session = open("identity_" + type.name().toLowerCase(Locale.ROOT))) {
            assertThat(session.inputs())
                    .containsExactly(new ValueInfo("x", Kind.TENSOR, type, List.of(-1L, -1L), List.of("n", "m")));
            assertThat(session.outputs())
                    .containsExactly(new ValueInfo("y", Kind.TENSOR, type, List.of(-1L, -1L), List.of("n", "m")));
        }
    }

    @Test
    void shouldTellScalarsAndFixedDimensions() {
        try (OnnxSession session = open("identity_rank0")) {
            assertThat(session.inputs())
                    .containsExactly(new ValueInfo("x", Kind.TENSOR, DataType.FP32, List.of(), List.of()));
        }
        try (OnnxSession session = open("mlp")) {
            assertThat(session.inputs())
                    .containsExactly(
                            new ValueInfo("x", Kind.TENSOR, DataType.FP32, List.of(-1L, 4L), List.of("batch", "")));
            assertThat(session.outputs().stream().map(ValueInfo::name)).containsExactly("scores", "best");
        }
    }

    @Test
    void shouldTellSequencesAndMaps() {
        try (OnnxSession session = open("zipmap_int64s")) {
            assertThat(session.outputs())
                    .containsExactly(new ValueInfo("maps", Kind.SEQUENCE_OF_MAPS, DataType.FP32, List.of(), List.of()));
        }
        try (OnnxSession session = open("split_bytes")) {
            assertThat(session.outputs())
                    .containsExactly(
                            new ValueInfo("parts", Kind.SEQUENCE_OF_TENSORS, DataType.BYTES, List.of(), List.of()));
        }
        try (OnnxSession session = open("map_input")) {
            assertThat(session.inputs())
                    .containsExactly(new ValueInfo("map", Kind.MAP, DataType.FP32, List.of(), List.of()));
        }
    }

    @Test
    void shouldSayWhichValueCannotBeServed() {
        fails(TestModels.file("float8")).hasMessageContaining("'y'").hasMessageContaining("cannot be served");
    }

    @ParameterizedTest
    @ValueSource(strings = {"complex64", "optional_input"})
    void shouldFailWhenOnnxRuntimeHasNoSuchValues(String model) {
        fails(TestModels.file(model)).hasMessageNotContaining("null");
    }

    @Test
    void shouldGiveWhatTheMakerStored() {
        try (OnnxSession session = open("mlp")) {
            assertThat(session.metadata()).containsOnlyKeys("author", "purpose").containsEntry("purpose", "näive");
            assertThat(session.producer()).isEqualTo("millrace-tests");
        }
    }

    @Test
    void shouldOpenFromBytes() throws IOException {
        byte[] model = Files.readAllBytes(TestModels.file("mlp"));
        try (OnnxSession session = OnnxSession.open(model, new SessionSettings(2, false))) {
            assertThat(session.inputs()).hasSize(1);
        }
        assertThatThrownBy(() -> OnnxSession.open(new byte[] {1, 2, 3}, SessionSettings.DEFAULT))
                .isInstanceOf(OrtFailure.class);
        assertThatThrownBy(() -> OnnxSession.open(new byte[0], SessionSettings.DEFAULT))
                .isInstanceOf(OrtFailure.class);
    }

    @Test
    void shouldFailWithTheReasonWhenFileIsNoModel() throws IOException {
        byte[] model = Files.readAllBytes(TestModels.file("mlp"));
        Path file = temp.resolve("model.onnx");

        fails(file).hasMessageContaining(file.toString());
        fails(temp).hasMessageNotContaining("null");
        Files.write(file, new byte[0]);
        fails(file).hasMessageNotContaining("null");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        fails(file).hasMessageContaining(file.toString());
        for (int length = 1; length < model.length; length += 50) {
            Files.write(file, java.util.Arrays.copyOf(model, length));
            fails(file).hasMessageNotContaining("null");
        }
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> fails(Path file) {
        return assertThatThrownBy(() -> OnnxSession.open(file, SessionSettings.DEFAULT))
                .isInstanceOf(OrtFailure.class);
    }

    @Test
    void shouldRefuseSettingsThatCannotBe() {
        assertThatIllegalArgumentException().isThrownBy(() -> new SessionSettings(0, true));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SessionSettings(1, -1, Optimization.ALL, Arena.KEEPS, true, Map.of()));
    }

    static List<SessionSettings> settings() {
        List<SessionSettings> settings = new ArrayList<>();
        for (Optimization optimization : Optimization.values()) {
            settings.add(new SessionSettings(1, 0, optimization, Arena.KEEPS, true, Map.of()));
        }
        for (Arena arena : Arena.values()) {
            settings.add(new SessionSettings(1, 2, Optimization.ALL, arena, false, Map.of()));
        }
        settings.add(new SessionSettings(
                2, 0, Optimization.ALL, Arena.KEEPS, true, Map.of("session.set_denormal_as_zero", "1")));
        return settings;
    }

    /// Large requests before small ones, so that what is left of the arena is given back where there is one.
    @ParameterizedTest
    @MethodSource("settings")
    void shouldGiveTheSameAnswersWhateverTheSettings(SessionSettings settings) {
        for (String binding : List.of("native", "java")) {
            System.setProperty(OrtRuntime.BINDING_PROPERTY, binding);
            try (OnnxSession plain = OnnxSession.open(TestModels.file("mlp"), SessionSettings.DEFAULT);
                    OnnxSession session = OnnxSession.open(TestModels.file("mlp"), settings)) {
                List<float[]> answers = answers(session);
                List<float[]> expected = answers(plain);
                for (int i = 0; i < expected.size(); i++) {
                    assertThat(answers.get(i)).containsExactly(expected.get(i), within(1e-5f));
                }
            } finally {
                System.clearProperty(OrtRuntime.BINDING_PROPERTY);
            }
        }
    }

    private static List<float[]> answers(OnnxSession session) {
        List<float[]> answers = new ArrayList<>();
        long width = session.inputs().getFirst().shape().getLast();
        try (TensorRunner runner = session.tensorRunner();
                Tensor input = new Tensor(MemoryTag.CALL, DataType.FP32);
                Tensor output = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            for (int run = 0; run < 2 * HighWater.WINDOW; run++) {
                input.reshape(run == 0 ? 8192 : 1, width);
                for (int i = 0; i < input.elementCount(); i++) {
                    input.setFloat(i, (i % 17 + run) / 16f);
                }
                runner.run(new Tensor[] {input}, new Tensor[] {output});
                float[] answer = new float[(int) output.elementCount()];
                output.getFloats(0, answer, 0, answer.length);
                answers.add(answer);
            }
        }
        return answers;
    }

    @Test
    void shouldHandEntriesToOnnxRuntime() {
        SessionSettings ort = new SessionSettings(
                1, 0, Optimization.ALL, Arena.KEEPS, true, Map.of("session.load_model_format", "ORT"));
        Path file = TestModels.file("mlp");
        assertThatThrownBy(() -> OnnxSession.open(file, ort)).isInstanceOf(OrtFailure.class);
        SessionSettings empty = new SessionSettings(1, 0, Optimization.ALL, Arena.KEEPS, true, Map.of("", "1"));
        assertThatThrownBy(() -> OnnxSession.open(file, empty)).isInstanceOf(OrtFailure.class);
    }
}
