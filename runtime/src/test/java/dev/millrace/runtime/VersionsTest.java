// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.VersionPolicy;
import dev.millrace.monitor.Recording;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Several versions of a model that live at the same time.
class VersionsTest {
    @TempDir
    Path root;

    /// Version 1 and 3 take rows of 64 numbers, version 2 single numbers.
    @BeforeEach
    void layOut() {
        TestModels.add(root, "m", 1, "mlp");
        TestModels.add(root, "m", 2, "scalar");
        TestModels.add(root, "m", 3, "mlp");
    }

    private static RuntimeConfig serving(VersionPolicy policy) {
        return RuntimeConfig.DEFAULT.withModel("m", ModelConfig.DEFAULT.withVersionPolicy(policy));
    }

    private static long answering(Model model) {
        Prediction prediction = model.predict(model.request().set("features", new float[64]));
        return prediction.version();
    }

    @Test
    void shouldAnswerByTheHighestVersionUnlessAnotherIsAskedFor() {
        long before = NativeMemory.used();
        try (Millrace millrace = Millrace.open(serving(VersionPolicy.all()), root)) {
            assertThat(millrace.status())
                    .extracting(ModelStatus::version, ModelStatus::ready)
                    .hasToString("[(1L, true), (2L, true), (3L, true)]");
            assertThat(answering(millrace.model("m"))).isEqualTo(3);
            assertThat(answering(millrace.model("m", 1))).isEqualTo(1);
            assertThat(millrace.model("m", 2).signature().inputs().getFirst().shape())
                    .isEmpty();
            assertThatThrownBy(() -> millrace.model("m", 4))
                    .hasMessage("model 'm' has no version 4 that is served")
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.NOT_FOUND);
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @Test
    void shouldCountAndBookForEachVersion() {
        try (Millrace millrace = Millrace.open(serving(VersionPolicy.specific(1L, 3L)), root)) {
            answering(millrace.model("m", 1));
            answering(millrace.model("m", 1));
            answering(millrace.model("m"));

            assertThat(millrace.statistics())
                    .extracting(LaneStatistics::version, LaneStatistics::rows)
                    .hasToString("[(1L, 2L), (3L, 1L)]");
            assertThat(millrace.recordings()).extracting(Recording::version).containsExactly(1L, 3L);
            assertThat(millrace.memoryOfModels())
                    .extracting(VersionMemory::version)
                    .containsExactly(1L, 3L);
            assertThat(millrace.memoryOfModels())
                    .allMatch(memory -> memory.weights().used() > 0)
                    .allMatch(memory -> memory.tensors().used() > 0);
        }
    }

    @Test
    void shouldServeTheOtherVersionsWhenOneIsBroken() throws IOException {
        Files.write(root.resolve("m/3/model.onnx"), new byte[] {1, 2, 3});
        try (Millrace millrace = Millrace.open(serving(VersionPolicy.latest(3)), root)) {
            assertThat(millrace.status())
                    .extracting(ModelStatus::version, ModelStatus::ready)
                    .hasToString("[(1L, true), (2L, true), (3L, false)]");
            assertThat(millrace.model("m").version()).isEqualTo(2);
            assertThatThrownBy(() -> millrace.model("m", 3))
                    .hasMessageStartingWith("model 'm' is not served: cannot load ")
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.UNAVAILABLE);
        }
    }

    @Test
    void shouldSayWhichVersionsAreMissing() {
        try (Millrace millrace = Millrace.open(serving(VersionPolicy.specific(1L, 9L)), root)) {
            ModelStatus missing = millrace.status().getLast();
            assertThat(missing.version()).isEqualTo(9);
            assertThat(missing.reason())
                    .isEqualTo(
                            "version_policy.specific names version 9, expected one of those in the folder, [1, 2, 3]");
            assertThat(millrace.model("m").version()).isEqualTo(1);
        }
        try (Millrace millrace = Millrace.open(serving(VersionPolicy.specific(8L, 9L)), root)) {
            assertThatThrownBy(() -> millrace.model("m")).hasMessageContaining("names version 9");
        }
    }

    @Test
    void shouldServeTheHighestVersionAloneUnlessTold() {
        try (Millrace millrace = Millrace.open(root)) {
            assertThat(millrace.status()).extracting(ModelStatus::version).containsExactly(3L);
            assertThat(millrace.status().getFirst().config().orElseThrow().versionPolicy())
                    .contains(VersionPolicy.DEFAULT);
        }
    }

    @Test
    void shouldLeaveRoomForTheThreadsOfEveryVersion() {
        ModelConfig model =
                ModelConfig.DEFAULT.withVersionPolicy(VersionPolicy.all()).withIntraOpThreads(2);
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withModel("m", model), root)) {
            assertThat(millrace.agents())
                    .isEqualTo(AgentPool.fitting(Runtime.getRuntime().availableProcessors(), List.of(2, 2, 2)));
        }
    }
}
