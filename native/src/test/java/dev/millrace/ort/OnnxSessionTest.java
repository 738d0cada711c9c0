// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.NoLeaks;
import dev.millrace.ort.ValueInfo.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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
    }
}
