// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.NativeMemory;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class VersionLoaderTest {
    private static final TrialLimits LIMITS = new TrialLimits(512L << 20, Duration.ofMinutes(1));
    /// In which no process even starts.
    private static final TrialLimits NO_TIME = new TrialLimits(512L << 20, Duration.ofMillis(1));

    @TempDir
    Path folder;

    private long used;

    @BeforeEach
    void measureMemory() {
        used = NativeMemory.used();
    }

    @AfterEach
    void memoryIsFreed() {
        assertThat(NativeMemory.used()).isEqualTo(used);
    }

    private Path write(byte[] model) throws IOException {
        return Files.write(folder.resolve("model.onnx"), model);
    }

    private String load(VersionLoader loader) {
        VersionLoader.Loaded loaded = loader.load(
                folder.resolve("model.onnx"),
                folder,
                SessionSettings.DEFAULT,
                MemoryBudget.UNLIMITED,
                MemoryBudget.UNLIMITED);
        loaded.model().close();
        return loaded.sha256();
    }

    private static VersionLoader loader(TrialLimits limits) {
        return loader(limits, Optional.empty());
    }

    private static VersionLoader loader(TrialLimits limits, Optional<Path> record) {
        return new VersionLoader(Optional.of(limits), new TrialRecord(record), 1, Optional.empty(), true);
    }

    private static VersionLoader withoutTrials() {
        return withoutTrials(Optional.empty());
    }

    private static VersionLoader withoutTrials(Optional<GraphCache> graphs) {
        return new VersionLoader(Optional.empty(), new TrialRecord(Optional.empty()), 1, graphs, true);
    }

    @Test
    void shouldTryWhatIsLoadedAtTheStartAndWhileOthersAreServed() throws IOException {
        Path file = write(Proto.relu());
        VersionLoader loader = loader(NO_TIME);
        assertHung(loader);
        loader.serving();
        assertHung(loader);

        VersionLoader without = withoutTrials();
        assertThat(load(without)).isEqualTo(ModelDigest.of(file));
        without.serving();
        assertThat(load(without)).isEqualTo(ModelDigest.of(file));
    }

    private void assertHung(VersionLoader loader) {
        TrialFailed failure = catchThrowableOfType(TrialFailed.class, () -> load(loader));
        assertThat(failure).isNotNull();
        assertThat(failure.kind()).isEqualTo(TrialFailed.Kind.HUNG);
    }

    @Test
    void shouldNotTryAtTheNextStartWhatPassed() throws IOException {
        Path file = write(Proto.relu());
        Optional<Path> record = Optional.of(folder.resolve("work/trials"));
        TrialLimits noTime = NO_TIME;
        assertHung(loader(noTime, record));
        String subject = TrialRecord.subject(ModelDigest.of(file), folder, SessionSettings.DEFAULT, noTime);
        new TrialRecord(record).add(subject);

        assertThat(load(loader(noTime, record))).isEqualTo(ModelDigest.of(file));

        assertHung(loader(new TrialLimits(1 << 20, Duration.ofMillis(1)), record));
        Files.createDirectories(folder.resolve("goldens"));
        Files.writeString(folder.resolve("goldens/a.request.json"), "{}");
        assertHung(loader(noTime, record));
        Files.delete(folder.resolve("goldens/a.request.json"));
        load(loader(noTime, record));
        write(Harmful.deepTree(10));
        assertHung(loader(noTime, record));
    }

    @Test
    void shouldNotTryTheSameTwice() throws IOException {
        write(Proto.relu());
        VersionLoader loader = loader(LIMITS);
        loader.serving();
        String sha256 = load(loader);
        String home = System.getProperty("java.home");
        System.setProperty("java.home", folder.toString());
        try {
            assertThat(load(loader)).isEqualTo(sha256);
            write(Harmful.deepTree(10));
            TrialFailed failure = catchThrowableOfType(TrialFailed.class, () -> load(loader));
            assertThat(failure.kind()).isEqualTo(TrialFailed.Kind.NOT_TRIED);
            assertThat(failure).hasMessageStartingWith("the process for its trial cannot be started: ");
        } finally {
            System.setProperty("java.home", home);
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void shouldNotTakeOneFileForAnotherThatWasTried() throws IOException {
        Path file = write(Proto.relu());
        Path other = Files.write(folder.resolve("other.onnx"), Harmful.deepTree(10));
        Path record = folder.resolve("work/trials");
        String home = System.getProperty("java.home");
        // The process of the trial: the file becomes another before it is read.
        Path java = Files.createDirectories(folder.resolve("home/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\ncp '" + other + "' '" + file + "'\nexec '" + home + "/bin/java' \"$@\"\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        VersionLoader loader = loader(LIMITS, Optional.of(record));
        System.setProperty("java.home", folder.resolve("home").toString());
        try {
            assertThatThrownBy(() -> load(loader))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("its files changed while it was tried; load it again");
        } finally {
            System.setProperty("java.home", home);
        }
        String subject =
                TrialRecord.subject(ModelDigest.of(write(Proto.relu())), folder, SessionSettings.DEFAULT, LIMITS);
        assertThat(new TrialRecord(Optional.of(record)).has(subject)).isFalse();
        assertThat(load(loader)).isEqualTo(ModelDigest.of(file));
        assertThat(new TrialRecord(Optional.of(record)).has(subject)).isTrue();
    }

    @Test
    @Tag("slow")
    @EnabledOnOs(OS.LINUX)
    void shouldSurviveWhatEndsTheProcess() throws IOException {
        VersionLoader loader = loader(LIMITS);
        loader.serving();
        write(Harmful.deepTree(50_000));
        TrialFailed failure = catchThrowableOfType(TrialFailed.class, () -> load(loader));
        assertThat(failure.kind()).isEqualTo(TrialFailed.Kind.CRASHED);
        write(Proto.relu());
        assertThat(load(loader)).isNotEmpty();
    }

    @Test
    void shouldRefuseWhatAnswersOtherwise() throws IOException {
        write(Proto.relu());
        Files.createDirectories(folder.resolve("goldens"));
        String tensor = "\"datatype\":\"FP32\",\"shape\":[1,4],\"data\":[-1,2,3,4]}]}";
        Files.writeString(folder.resolve("goldens/a.request.json"), "{\"inputs\":[{\"name\":\"x\"," + tensor);
        Files.writeString(folder.resolve("goldens/a.expected.json"), "{\"outputs\":[{\"name\":\"y\"," + tensor);
        VersionLoader loader = withoutTrials();
        assertThatThrownBy(() -> load(loader))
                .isInstanceOf(GoldenMismatch.class)
                .hasMessageContaining("element [0, 0] is 0.0, expected -1.0");
        loader.serving();
        assertThatThrownBy(() -> load(loader)).isInstanceOf(GoldenMismatch.class);
        Files.delete(folder.resolve("goldens/a.expected.json"));
        assertThatThrownBy(() -> load(loader)).hasMessageContaining("goldens/a.expected.json is missing");
    }

    @Test
    void shouldSayWhatIsMissing() throws IOException {
        VersionLoader loader = withoutTrials();
        assertThatThrownBy(() -> load(loader))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("there is no file " + folder.resolve("model.onnx"));
        write(Proto.addOf("weights.bin"));
        assertThatThrownBy(() -> load(loader))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("model.onnx has tensors in 'weights.bin', expected that file beside it, came none");
        Files.write(folder.resolve("weights.bin"), new byte[8]);
        assertThat(load(loader)).isEqualTo(ModelDigest.of(folder.resolve("model.onnx")));
    }

    @Test
    void shouldOpenByTheGraphThatIsKept() throws IOException {
        write(GraphCacheTest.chain(120, 1));
        GraphCache graphs = new GraphCache(folder.resolve("graphs"), 1 << 20);
        VersionLoader loader = withoutTrials(Optional.of(graphs));
        load(loader);
        load(loader);
        assertThat(graphs.builds()).isOne();
        assertThat(graphs.hits()).isOne();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldLeaveThreadsOfSessionsAtTheirPriority() throws IOException {
        write(Proto.relu());
        VersionLoader loader = withoutTrials();
        loader.serving();
        Set<Path> before = tasks();
        SessionSettings settings = new SessionSettings(3, true);
        VersionLoader.Loaded loaded = loader.aside(() -> loader.load(
                folder.resolve("model.onnx"), folder, settings, MemoryBudget.UNLIMITED, MemoryBudget.UNLIMITED));
        try {
            Set<Path> made = tasks();
            made.removeAll(before);
            made.removeIf(task -> name(task).startsWith("millrace-load"));
            assertThat(made)
                    .hasSizeGreaterThanOrEqualTo(2)
                    .allSatisfy(
                            task -> assertThat(AsideTest.nice(task).orElse(0)).isLessThan(19));
        } finally {
            loaded.model().close();
        }
    }

    private static Set<Path> tasks() throws IOException {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.collect(Collectors.toSet());
        }
    }

    private static String name(Path task) {
        try {
            return Files.readString(task.resolve("comm"));
        } catch (IOException _) {
            return "";
        }
    }
}
