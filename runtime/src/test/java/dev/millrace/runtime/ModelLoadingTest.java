// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelLoadingTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "mlp | ROWS | rows run together gave the answers they gave alone",
                "two_inputs | ROWS | rows run together gave the answers they gave alone",
                "types | ROWS | rows run together gave the answers they gave alone",
                "unsigned | ROWS | rows run together gave the answers they gave alone",
                "fails_on_index | ROWS | rows run together gave the answers they gave alone",
                "fixed_batch | ONE_ROW | the leading dimension is fixed to 1",
                "softmax_over_rows | NONE | a row of output 'y' depends on the rows it is run with",
                "dynamically_quantized | NONE | a row of output 'y' depends on the rows it is run with",
                "scalar | NONE | 'x' is a scalar",
                "strings | NONE | 'x' is not a numeric tensor",
                "variable_shapes | NONE | input 'x' has rows of variable size, shape [-1, -1]",
                "zip_map | NONE | 'y' is not a numeric tensor",
                "collapsing | NONE | output 'y' has shape [1, 4] for 2 rows"
            })
    void shouldFindHowRequestsMayShareRunsWhenLoaded(String name, Batching.Kind kind, String reason) {
        long before = NativeMemory.used();
        try (OnnxModel model = OnnxModel.load(TestModels.file(name), SessionSettings.DEFAULT)) {
            assertThat(model.batching().kind()).isEqualTo(kind);
            assertThat(model.batching().reason()).isEqualTo(reason);
            assertThat(model.session().metadata()).containsEntry("purpose", name);
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @Test
    void shouldServeEveryModelWhenTheRepositoryHasThemAll(@TempDir Path root) {
        long before = NativeMemory.used();
        Path repository = TestModels.repository(root, TestModels.ALL.toArray(String[]::new));
        try (Millrace millrace = Millrace.open(repository)) {
            assertThat(millrace.status()).extracting(ModelStatus::model).isEqualTo(TestModels.ALL);
            assertThat(millrace.status()).allMatch(ModelStatus::ready);

            ModelStatus mlp = millrace.status().stream()
                    .filter(status -> status.model().equals("mlp"))
                    .findFirst()
                    .orElseThrow();
            assertThat(mlp.version()).isEqualTo(1);
            assertThat(mlp.config().orElseThrow().maxBatchSize()).hasValue(128);
            assertThat(mlp.metadata()).containsEntry("purpose", "mlp");
            assertThat(mlp.signature().orElseThrow().inputs().getFirst().shape())
                    .containsExactly(-1L, 64L);
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @Test
    void shouldServeTheOthersWhenSomeAreBroken(@TempDir Path root) throws IOException {
        TestModels.repository(root, "scalar");
        Files.createDirectories(root.resolve("empty"));
        Files.createDirectories(root.resolve("fileless/1"));
        Files.createDirectories(root.resolve("garbage/4"));
        Files.write(root.resolve("garbage/4/model.onnx"), new byte[] {1, 2, 3});
        Files.createDirectories(root.resolve(".hidden/1"));

        try (Millrace millrace = Millrace.open(root)) {
            List<ModelStatus> status = millrace.status();
            assertThat(status).extracting(ModelStatus::model).containsExactly("empty", "fileless", "garbage", "scalar");
            assertThat(status).extracting(ModelStatus::ready).containsExactly(false, false, false, true);
            assertThat(status.get(0).reason()).startsWith("no version folder");
            assertThat(status.get(2).version()).isEqualTo(4);
            assertThat(status.get(2).reason()).startsWith("cannot load ");
            assertThatThrownBy(() -> millrace.model("garbage"))
                    .isInstanceOf(InferenceException.class)
                    .hasMessageStartingWith("model 'garbage' is not served: cannot load")
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.UNAVAILABLE);
            assertThatThrownBy(() -> millrace.model("garbage", 4))
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.UNAVAILABLE);
            assertThat(millrace.model("scalar").version()).isEqualTo(1);
        }
    }

    @Test
    void shouldServeTheHighestVersionWhenThereAreSeveral(@TempDir Path root) {
        TestModels.add(root, "m", 2, "scalar");
        TestModels.add(root, "m", 10, "fixed_batch");
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.model("m").version()).isEqualTo(10);
            assertThat(millrace.model("m", 10).signature().inputs().getFirst().shape())
                    .containsExactly(1L, 4L);
            assertThatThrownBy(() -> millrace.model("m", 2))
                    .hasMessage("model 'm' has no version 2 that is served")
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.NOT_FOUND);
        }
    }

    @Test
    void shouldShortenTheQueueWhenRowsAreLarge(@TempDir Path root) {
        RuntimeConfig small = RuntimeConfig.DEFAULT.withAgents(1).withQueueBytes(260 * 20);
        try (Millrace millrace = Millrace.open(small, TestModels.repository(root, "mlp"))) {
            Call call = millrace.model("mlp").call();
            assertThat(call.rows(17).run()).isEqualTo(Outcome.TOO_LARGE);
            assertThat(call.message())
                    .isEqualTo("17 rows in one request, at most 16 fit into the queue of model 'mlp' version 1");
            assertThat(call.rows(16).run()).isEqualTo(Outcome.OK);
            call.close();
        }
    }

    @Test
    void shouldFailWhenTheFileIsNoModel(@TempDir Path root) throws IOException {
        Path file = Files.write(root.resolve("x.onnx"), new byte[100]);
        assertThatThrownBy(() -> OnnxModel.load(file, SessionSettings.DEFAULT)).isInstanceOf(OrtFailure.class);
    }
}
