// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.lifecycle.ChangeStatistics.Failure;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.memory.NativeMemory;
import dev.millrace.version.ModelDigest;
import dev.millrace.version.TrialLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Versions that do not become what is served, and what is served then.
class VersionChecksTest {
    @TempDir
    private Path root;

    private final long before = NativeMemory.used();
    private Millrace millrace;

    private void open(RuntimeConfig config) {
        millrace = Millrace.open(config.withAgents(1), root);
    }

    @AfterEach
    void freeEverything() {
        if (millrace != null) {
            millrace.close();
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private float answer() {
        Model model = millrace.model("m");
        return model.predict(model.request().set("x", new float[] {1})).floats("y")[0];
    }

    private ModelStatus status(long version) {
        return millrace.status().stream()
                .filter(status -> status.version() == version)
                .findFirst()
                .orElseThrow();
    }

    private Map<Failure, Long> failures() {
        return millrace.lifecycle().changes().getFirst().failures();
    }

    /// A golden of a version: 1 is answered by this.
    private void golden(long version, float expected) throws IOException {
        Path goldens = Files.createDirectories(root.resolve("m/" + version + "/goldens"));
        String tensor = "\"datatype\":\"FP32\",\"shape\":[1,1],\"data\":[%s]}]}";
        Files.writeString(goldens.resolve("one.request.json"), "{\"inputs\":[{\"name\":\"x\"," + tensor.formatted("1"));
        Files.writeString(
                goldens.resolve("one.expected.json"),
                "{\"outputs\":[{\"name\":\"y\"," + tensor.formatted(Float.toString(expected)));
    }

    @Test
    void shouldServeWhatWasServedWhenAGoldenIsAnsweredOtherwise() throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        golden(1, 11);
        open(RuntimeConfig.DEFAULT);
        assertThat(answer()).isEqualTo(11);
        assertThat(status(1).sha256()).isEqualTo(ModelDigest.of(root.resolve("m/1/model.onnx")));
        ConstantModel.add(root, "m", 2, 20);
        golden(2, 22);
        String reason = "goldens/one.expected.json: output 'y' element [0, 0] is 21.0, expected 22.0 within 1.0E-7 +"
                + " 0.001 of it";
        assertThatThrownBy(() -> millrace.lifecycle().load("m"))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(reason);
        assertThat(answer()).isEqualTo(11);
        assertThat(status(2).reason()).contains(reason);
        assertThat(failures()).containsEntry(Failure.GOLDENS, 1L).containsEntry(Failure.MODEL, 0L);
        golden(2, 21);
        millrace.lifecycle().load("m");
        assertThat(answer()).isEqualTo(21);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldServeWhateverIsAnsweredWhenGoldensAreNotChecked(boolean tried) throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        golden(1, 12);
        open(RuntimeConfig.DEFAULT.withGoldenCheck(false).withTrial(tried ? TrialLimits.DEFAULT : null));

        assertThat(answer()).isEqualTo(11);
        assertThat(status(1).ready()).isTrue();
    }

    @Test
    void shouldServeWhatWasServedWhenATrialFails() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT.withTrial(TrialLimits.DEFAULT));
        assertThat(answer()).isEqualTo(11);
        ConstantModel.add(root, "m", 2, 20);
        String home = System.getProperty("java.home");
        System.setProperty("java.home", root.toString());
        try {
            assertThatThrownBy(() -> millrace.lifecycle().load("m"))
                    .isInstanceOf(ModelLoadException.class)
                    .hasMessageContaining("the process for its trial cannot be started");
        } finally {
            System.setProperty("java.home", home);
        }
        assertThat(failures()).containsEntry(Failure.NOT_TRIED, 1L).containsEntry(Failure.MODEL, 0L);
        assertThat(answer()).isEqualTo(11);
    }

    @Test
    void shouldTryWhatIsThereAtTheStart() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT.withTrial(new TrialLimits(1L << 30, Duration.ofMillis(1))));
        assertThat(status(1).reason()).contains("its trial did not end within 1 ms");
        assertThat(failures()).containsEntry(Failure.HUNG, 1L).containsEntry(Failure.MODEL, 0L);
    }

    @Test
    void shouldTryOnceWhatPassedAndIsKeptOnRecord() throws IOException {
        ConstantModel.add(root, "m", 1, 10);
        Path record = root.resolveSibling(root.getFileName() + "-trials");
        RuntimeConfig config =
                RuntimeConfig.DEFAULT.withTrial(TrialLimits.DEFAULT).withTrialRecord(record);
        open(config);
        assertThat(answer()).isEqualTo(11);
        millrace.close();
        String home = System.getProperty("java.home");
        System.setProperty("java.home", root.toString());
        try {
            open(config);
        } finally {
            System.setProperty("java.home", home);
        }
        assertThat(answer()).isEqualTo(11);
        try (Stream<Path> files = Files.list(record)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void shouldServeWhatPassedItsTrial() {
        ConstantModel.add(root, "m", 1, 10);
        open(RuntimeConfig.DEFAULT
                .withTrial(new TrialLimits(1L << 30, Duration.ofMinutes(1)))
                .withGraphCache(root.resolveSibling("graphs")));
        ConstantModel.add(root, "m", 2, 20);
        millrace.lifecycle().load("m");
        assertThat(answer()).isEqualTo(21);
    }
}
