// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.RawClient;
import dev.millrace.server.TestModels;
import dev.millrace.server.Traffic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A server that is killed while models are loaded, uploaded and rolled back and clients ask for them, and another one
/// that starts on what it left: it is ready, answers as the repository says, and trips over nothing.
@DisabledOnOs(OS.WINDOWS)
class KillTest {
    /// So that every kill hits another moment of what takes about this long.
    private static final int LONGEST_MICROS = 1_000_000;
    /// Versions that stay in the repository.
    private static final int KEPT = 8;

    @TempDir
    Path temp;

    private Path repository;
    private Path work;
    private SplittableRandom random;
    /// The version that was written last, to the repository or anywhere.
    private int last = 1;
    /// The highest in the repository.
    private int inRepository = 1;

    private int foundFiles;
    private int foundTrials;

    @Test
    void shouldStartCleanlyWhenItWasKilled() throws Exception {
        kill(1, 3);
    }

    @Test
    @Tag("slow")
    @Timeout(900)
    void shouldStartCleanlyWhenItWasKilledFiftyTimes() throws Exception {
        kill(2, 50);
        // Each has to have been there, or nothing was tested.
        assertThat(foundFiles).as("kills that left files").isPositive();
        assertThat(foundTrials).as("kills in the middle of a trial").isPositive();
    }

    private void kill(long seed, int rounds) throws Exception {
        repository = temp.resolve("repository");
        work = temp.resolve("work");
        random = new SplittableRandom(seed);
        TestModels.write(repository, "m", 1, TestModels.answering(1));
        List<ProcessHandle> trials = List.of();
        for (int round = 0; round <= rounds; round++) {
            String what = "seed " + seed + " round " + round;
            Files.writeString(repository.resolve("m/model.yaml"), "parameters: { keep_previous: " + round % 2 + " }\n");
            try (ServerProcess server = start()) {
                server.awaitReady();
                for (ProcessHandle trial : trials) {
                    trial.onExit().get(60, TimeUnit.SECONDS);
                }
                assertThat(server.readiness()).as(what).endsWith(" - models: m:" + inRepository);
                assertThat(leftovers()).as(what).isEmpty();
                assertThat(server.errors()).as(what).isEmpty();
                if (round == rounds) {
                    assertThat(server.terminate()).as(what).isZero();
                    assertThat(leftovers()).as(what).isEmpty();
                    return;
                }
                trials = swapAndKill(server, what);
                foundTrials += trials.isEmpty() ? 0 : 1;
                foundFiles += leftovers().isEmpty() ? 0 : 1;
            }
        }
    }

    private ServerProcess start() {
        return ServerProcess.start(
                List.of(), repository, work, "--model-control-mode", "explicit", "--load-model", "m");
    }

    /// What is not to stay: everything but optimised graphs that are whole, and the record of trials.
    private List<Path> leftovers() throws IOException {
        try (Stream<Path> files = Files.walk(work)) {
            return files.filter(Files::isRegularFile).filter(this::isLeftOver).toList();
        }
    }

    private boolean isLeftOver(Path file) {
        String name = file.getFileName().toString();
        Path folder = file.getParent();
        return !(folder.equals(work.resolve("graphs")) && name.matches("[0-9a-f]{64}\\.(onnx|sum)"))
                && !(folder.equals(work.resolve("trials")) && name.matches("[0-9a-f]{64}\\.passed"));
    }

    /// @return the trials that went on when it was killed
    private List<ProcessHandle> swapAndKill(ServerProcess server, String what) throws Exception {
        AtomicReference<Throwable> problem = new AtomicReference<>();
        long nanos = random.nextInt(LONGEST_MICROS) * 1000L;
        try (Traffic traffic = Traffic.start(server.port(), "m", 2)) {
            traffic.awaitVersion(inRepository);
            Thread swapper = Thread.ofPlatform().start(() -> {
                try {
                    boolean changed = false;
                    while (true) {
                        changed |= change(server, changed, what);
                    }
                } catch (UncheckedIOException | IllegalStateException _) {
                    // The server is gone, as it has to be.
                } catch (Throwable t) {
                    problem.set(t);
                }
            });
            LockSupport.parkNanos(nanos);
            traffic.expectEnd();
            // It stands still, so that no trial begins between the look and the end.
            assertThat(new ProcessBuilder("kill", "-STOP", "" + server.process().pid())
                            .start()
                            .waitFor())
                    .isZero();
            List<ProcessHandle> trials = server.trials();
            server.close();
            swapper.join();
            assertThat(problem.get()).as(what).isNull();
            return trials;
        }
    }

    private boolean change(ServerProcess server, boolean changed, String what) throws IOException {
        int kind = random.nextInt(changed ? 4 : 3);
        RawClient.Answer answer = switch (kind) {
            case 0 -> server.change("m/load", upload(TestModels.answering(++last)));
            case 1 -> server.change("m/load", upload(TestModels.manyOperators(++last, 4)));
            case 2 -> {
                add();
                yield server.change("m/load", "");
            }
            default -> server.change("m/rollback", "");
        };
        assertThat(answer.status()).as(what + " change " + kind + ": " + answer).isEqualTo(200);
        return true;
    }

    private String upload(byte[] model) {
        return "{\"parameters\":{\"config\":\"{}\",\"file:" + last + "/model.onnx\":\"" + TestModels.base64(model)
                + "\"}}";
    }

    /// Adds a version to the repository, and takes the oldest away.
    private void add() throws IOException {
        int version = ++last;
        TestModels.write(repository, "m", version, TestModels.manyOperators(version, random.nextInt(4, 100_000)));
        inRepository = version;
        List<Integer> versions = new ArrayList<>();
        try (Stream<Path> folders = Files.list(repository.resolve("m"))) {
            folders.map(folder -> folder.getFileName().toString())
                    .filter(name -> name.matches("\\d+"))
                    .forEach(name -> versions.add(Integer.parseInt(name)));
        }
        versions.sort(null);
        for (int old : versions.subList(0, Math.max(0, versions.size() - KEPT))) {
            Files.delete(repository.resolve("m/" + old + "/model.onnx"));
            Files.delete(repository.resolve("m/" + old));
        }
    }
}
