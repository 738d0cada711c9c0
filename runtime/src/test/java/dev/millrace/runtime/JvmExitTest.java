// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A JVM that exits while models run ends as it should: no crash in a library that is being unloaded, and no wait.
class JvmExitTest {
    private static final int SIGTERM = 128 + 15;
    private static final int LONGEST_MICROS = 60_000;

    @TempDir
    Path root;

    @ParameterizedTest
    @EnumSource
    void shouldExitCleanlyWhenModelsRun(ExitingProgram.Scene scene) throws Exception {
        exit(scene, 1, 1);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("stress")
    @Timeout(600)
    void shouldExitCleanlyWhenModelsRunEveryTime(ExitingProgram.Scene scene) throws Exception {
        exit(scene, 2, 10);
    }

    private void exit(ExitingProgram.Scene scene, long seed, int rounds) throws Exception {
        Path repository = TestModels.repository(root.resolve("models"), "mlp", "variable_shapes");
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < rounds; round++) {
            int micros = random.nextInt(LONGEST_MICROS);
            boolean signal = round % 2 == 1 || (rounds == 1 && scene.ordinal() % 2 == 1);
            Path folder = Files.createDirectory(root.resolve("round" + round));
            ForkedJvm jvm = ForkedJvm.start(
                    folder,
                    ExitingProgram.class.getName(),
                    scene.name(),
                    repository.toString(),
                    signal ? "-1" : Integer.toString(micros));
            if (signal) {
                awaitReady(jvm);
                LockSupport.parkNanos(micros * 1000L);
                jvm.process().destroy();
            }
            ForkedJvm.Ended ended = jvm.await(100);
            String what = scene + " seed " + seed + " round " + round + ":\n" + ended.output();
            assertThat(ended.exitCode()).as(what).isEqualTo(signal ? SIGTERM : 0);
            assertThat(ended.output()).as(what).contains("ready").doesNotContain("SIGSEGV", "fatal error", "Exception");
            try (Stream<Path> files = Files.list(folder)) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .as(what)
                        .noneMatch(name -> name.startsWith("hs_err") || name.startsWith("core"));
            }
        }
    }

    private static void awaitReady(ForkedJvm jvm) throws Exception {
        while (!jvm.output().contains("ready")) {
            assertThat(jvm.process().isAlive()).as(jvm.output()).isTrue();
            LockSupport.parkNanos(1_000_000);
        }
    }
}
