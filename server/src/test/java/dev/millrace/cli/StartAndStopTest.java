// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.Harmful;
import dev.millrace.server.TestModels;
import dev.millrace.server.Traffic;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A server that starts with models that do harm, or stops while one does not end.
@DisabledOnOs(OS.WINDOWS)
class StartAndStopTest {
    @TempDir
    Path temp;

    private Path repository;

    @BeforeEach
    void nameRepository() {
        repository = temp.resolve("repository");
    }

    private ServerProcess start(String... arguments) {
        return ServerProcess.start(List.of(), repository, temp.resolve("work"), arguments);
    }

    private static void await(ServerProcess server, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            assertThat(server.process().isAlive()).as(server.errors()).isTrue();
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void shouldStartWithAModelThatWouldEndIt() {
        TestModels.write(repository, "good", 1, TestModels.answering(1));
        TestModels.write(repository, "harmful", 1, Harmful.crashing());
        String passed = "good/1/model.onnx passed its trial in ";
        for (int i = 0; i < 2; i++) {
            try (ServerProcess server =
                            start("--model-control-mode", "poll", "--verbose").awaitReady();
                    Traffic traffic = Traffic.start(server.port(), "good", 1)) {
                assertThat(server.readiness()).endsWith(" - models: good:1; not served: harmful:1");
                assertThat(server.index()).contains("it ended the process of its trial by SIG");
                traffic.awaitMore(5);
                // It is on record from then on.
                assertThat(server.errors().contains(passed)).isEqualTo(i == 0);
                traffic.expectEnd();
                assertThat(server.terminate()).as(server.errors()).isZero();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldEndAtOnceWhenItIsToldToStopWhileItLoads(boolean trial) throws Exception {
        TestModels.write(repository, "m", 1, Harmful.endless());
        try (ServerProcess server = start(
                "--model-control-mode", "poll", "--model-trial", "" + trial, "--verbose", "--drain-timeout", "10000")) {
            if (trial) {
                await(server, () -> !server.trials().isEmpty());
            } else {
                await(server, () -> server.errors().contains("native memory"));
            }
            List<ProcessHandle> trials = server.trials();

            assertThat(server.terminate()).isZero();
            assertThat(server.errors()).contains("millrace: told to stop before it was ready");
            for (ProcessHandle each : trials) {
                each.onExit().get(60, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void shouldEndWhenALoadDoesNot() throws InterruptedException {
        TestModels.write(repository, "m", 1, TestModels.answering(1));
        try (ServerProcess server = start(
                                "--model-control-mode",
                                "explicit",
                                "--load-model",
                                "m",
                                "--model-trial",
                                "false",
                                "--drain-timeout",
                                "1")
                        .awaitReady();
                Traffic traffic = Traffic.start(server.port(), "m", 1)) {
            TestModels.write(repository, "m", 2, Harmful.endless());
            Thread asking = Thread.ofPlatform().start(() -> {
                try {
                    server.change("m/load", "");
                } catch (RuntimeException _) {
                    // The server has ended before it could answer.
                }
            });
            await(server, () -> server.index().contains("\"version\":\"2\",\"state\":\"LOADING\""));
            traffic.awaitMore(20);
            traffic.expectEnd();

            assertThat(server.terminate()).as(server.errors()).isZero();
            assertThat(server.errors()).contains("a change of models did not end within ");
            asking.join();
        }
    }
}
