// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Each trial is a process; that this one survives them is part of what is tested.
class ModelTrialTest {
    private static final TrialLimits LIMITS = new TrialLimits(512L << 20, Duration.ofMinutes(1));

    @TempDir
    Path folder;

    private List<Path> before;

    @BeforeEach
    void listFiles() throws IOException {
        before = files();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertThat(files()).isEqualTo(before);
        assertThat(ProcessHandle.current().children().filter(ModelTrialTest::isTrial))
                .isEmpty();
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(""))) {
            return files.sorted().toList();
        }
    }

    private static boolean isTrial(ProcessHandle process) {
        return process.isAlive()
                && process.info().commandLine().orElse("").contains(TrialProcess.class.getSimpleName());
    }

    private void attempt(byte[] model, TrialLimits limits) throws IOException {
        Path file = Files.write(folder.resolve("model.onnx"), model);
        ModelTrial.run(file, folder, SessionSettings.DEFAULT, limits);
    }

    private TrialFailed failure(byte[] model, TrialLimits limits) {
        return catchThrowableOfType(TrialFailed.class, () -> attempt(model, limits));
    }

    @Test
    void shouldPassWhatLoadsAndRuns() throws IOException {
        attempt(Proto.relu(), LIMITS);
        attempt(Harmful.deepTree(10), new TrialLimits(Long.MAX_VALUE, LIMITS.timeout()));
        Path fraud = Path.of("zoo/fraud/1");
        SessionSettings settings = new SessionSettings(
                2,
                2,
                SessionSettings.Optimization.BASIC,
                SessionSettings.Arena.SHRINKS,
                false,
                Map.of("session.dynamic_block_base", "4"));
        ModelTrial.run(fraud.resolve("model.onnx"), fraud, settings, LIMITS);
    }

    @Test
    void shouldSayWhatTheLoadOrAGoldenSays() throws IOException {
        TrialFailed noModel = failure(new byte[] {1, 2, 3}, LIMITS);
        assertThat(noModel.kind()).isEqualTo(TrialFailed.Kind.REFUSED);
        assertThat(noModel).hasMessageEndingWith("model.onnx: the file is no ONNX model: Protobuf parsing failed.");

        Files.createDirectories(folder.resolve("goldens"));
        String tensor = "\"datatype\":\"FP32\",\"shape\":[1,4],\"data\":[1,2,3,%s]}]}";
        Files.writeString(
                folder.resolve("goldens/a.request.json"), "{\"inputs\":[{\"name\":\"x\"," + tensor.formatted("-4"));
        Files.writeString(
                folder.resolve("goldens/a.expected.json"), "{\"outputs\":[{\"name\":\"y\"," + tensor.formatted("4"));
        TrialFailed mismatch = failure(Proto.relu(), LIMITS);
        assertThat(mismatch.kind()).isEqualTo(TrialFailed.Kind.GOLDEN);
        assertThat(mismatch)
                .hasMessage("goldens/a.expected.json: output 'y' element [0, 3] is 0.0, expected 4.0 within 1.0E-7 +"
                        + " 0.001 of it");
    }

    /// ONNX Runtime cannot begin without a temporary folder.
    @Test
    void shouldSayAtOnceThatAProcessCouldNotTry() {
        String temporary =
                System.setProperty("java.io.tmpdir", folder.resolve("missing").toString());
        try {
            TrialFailed failed = failure(Proto.relu(), LIMITS);
            assertThat(failed.kind()).as(failed.getMessage()).isEqualTo(TrialFailed.Kind.NOT_TRIED);
            assertThat(failed)
                    .hasMessageStartingWith("its trial failed: ")
                    .hasMessageContaining("NoSuchFileException")
                    .hasMessageContaining("missing");
        } finally {
            System.setProperty("java.io.tmpdir", temporary);
        }
    }

    @Test
    @Tag("slow")
    @EnabledOnOs(OS.LINUX)
    void shouldSurviveWhatEndsTheProcess() {
        TrialFailed crash = failure(Harmful.deepTree(50_000), LIMITS);
        assertThat(crash.kind()).as(crash.getMessage()).isEqualTo(TrialFailed.Kind.CRASHED);
        assertThat(crash).hasMessageStartingWith("it ended the process of its trial by SIGSEGV");
    }

    @Test
    @Tag("slow")
    void shouldEndWhatDoesNotEnd() {
        TrialFailed hang = failure(Harmful.endless(), new TrialLimits(512L << 20, Duration.ofSeconds(5)));
        assertThat(hang.kind()).as(hang.getMessage()).isEqualTo(TrialFailed.Kind.HUNG);
        assertThat(hang).hasMessage("its trial did not end within 5000 ms");
    }

    @Test
    @Tag("slow")
    @EnabledOnOs(OS.LINUX)
    void shouldNotGiveMoreMemoryThanTheLimit() throws IOException {
        TrialLimits limits = new TrialLimits(256L << 20, Duration.ofMinutes(1));
        attempt(Harmful.huge(32L << 20), limits);
        for (byte[] model : List.of(Harmful.huge(128L << 20), Harmful.hugeConstant(128L << 20))) {
            TrialFailed memory = failure(model, limits);
            assertThat(memory.kind()).as(memory.getMessage()).isEqualTo(TrialFailed.Kind.MEMORY);
            assertThat(memory)
                    .hasMessageStartingWith("its trial wanted more than 268435456 bytes of memory, beside the ");
        }
    }

    @Test
    void shouldNotBeToldWhatIsASecret() {
        Map<String, String> environment =
                new HashMap<>(Map.of("PATH", "/bin", "MILLRACE_ADMIN_TOKEN", "secret", "JAVA_TOOL_OPTIONS", "-Xmx1g"));
        ModelTrial.withhold(environment);
        assertThat(environment).isEqualTo(Map.of("PATH", "/bin"));
    }

    @Test
    @Tag("slow")
    void shouldEndWithTheProcessThatTries() throws Exception {
        Path file = Files.write(folder.resolve("model.onnx"), Harmful.endless());
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Parent.class.getName(),
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("MILLRACE_ADMIN_TOKEN", "secret");
        builder.environment().put("MILLRACE_OTHER", "public");
        Process parent = builder.start();
        ProcessHandle trial = null;
        while (trial == null) {
            assertThat(parent.isAlive()).isTrue();
            trial = parent.descendants()
                    .filter(ModelTrialTest::isTrial)
                    .findFirst()
                    .orElse(null);
            Thread.onSpinWait();
        }
        Path environment = Path.of("/proc/" + trial.pid() + "/environ");
        if (Files.exists(environment)) {
            assertThat(Files.readString(environment, StandardCharsets.ISO_8859_1))
                    .contains("MILLRACE_OTHER=public")
                    .doesNotContain("MILLRACE_ADMIN_TOKEN");
        }
        parent.destroyForcibly().waitFor();
        trial.onExit().get(30, TimeUnit.SECONDS);
    }

    /// A process that tries a model for a long time.
    static final class Parent {
        private Parent() {}

        static void main(String[] args) {
            Path file = Path.of(args[0]);
            ModelTrial.run(
                    file, file.getParent(), SessionSettings.DEFAULT, new TrialLimits(1L << 30, Duration.ofMinutes(10)));
        }
    }

    @Test
    void shouldTellWhatEndedAProcess() {
        String report = """
            #
            # A fatal error has been detected by the Java Runtime Environment:
            #
            #  SIGSEGV (0xb) at pc=0x00007f9f6c, pid=1, tid=2
            #
            # Problematic frame:
            # C  [libonnxruntime.so+0x123]  name+0x4
            #
            """;
        assertThat(Crash.describe(6, report)).isEqualTo("SIGSEGV in C  [libonnxruntime.so+0x123]  name+0x4");
        assertThat(Crash.describe(6, "a\nterminate called\n#\n\n  what():  bad\n"))
                .isEqualTo("SIGABRT: a / terminate called / what():  bad");
        assertThat(Crash.describe(11, "")).isEqualTo("SIGSEGV");
        assertThat(Crash.describe(9, "x".repeat(1000))).isEqualTo("SIGKILL: " + "x".repeat(300));
        assertThat(Crash.describe(31, "")).isEqualTo("signal 31");
    }
}
