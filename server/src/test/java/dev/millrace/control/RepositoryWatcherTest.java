// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is looked at is real; how long that takes is not measured.
class RepositoryWatcherTest {
    private static final Duration NEVER = Duration.ZERO;
    private static final Duration QUIET = Duration.ofMillis(20);
    private static final Duration PATIENT = Duration.ofSeconds(60);

    @TempDir
    Path temp;

    private final LinkedBlockingQueue<String> polls = new LinkedBlockingQueue<>();

    private RepositoryWatcher watcher(Duration interval) {
        RepositoryWatcher watcher = new RepositoryWatcher(
                List.of(temp),
                interval,
                QUIET,
                () -> polls.add(Thread.currentThread().getName()));
        watcher.start();
        return watcher;
    }

    /// Waits for a poll that begins after now.
    private void awaitPoll() throws InterruptedException {
        polls.clear();
        assertThat(polls.take()).isEqualTo("millrace-poll");
    }

    @Test
    void shouldPollWhenAFileChangesAnywhereInAModel() throws Exception {
        Path version = Files.createDirectories(temp.resolve("a/1"));
        RepositoryWatcher watcher = watcher(NEVER);

        Files.writeString(version.resolve("model.onnx"), "one");
        assertThat(polls.take()).isEqualTo("millrace-poll");
        // Folders that came later are watched, too. Another write is another chance, should one be in the same event.
        Path later = Files.createDirectories(temp.resolve("b/7/data"));
        assertThat(polls.take()).isEqualTo("millrace-poll");
        for (int i = 0; polls.isEmpty(); i++) {
            Files.writeString(later.resolve("weights"), "write " + i);
            Thread.sleep(50);
        }
        polls.clear();
        Files.delete(version.resolve("model.onnx"));
        assertThat(polls.take()).isEqualTo("millrace-poll");
        watcher.close(PATIENT);
    }

    @Test
    void shouldPollAtASteadyPaceWithoutChanges() throws Exception {
        RepositoryWatcher watcher = watcher(Duration.ofMillis(5));

        for (int i = 0; i < 5; i++) {
            awaitPoll();
        }
        watcher.close(PATIENT);
    }

    @Test
    void shouldGoOnWhenAPollFailsOrARepositoryIsGone() throws Exception {
        Files.delete(temp);
        RepositoryWatcher watcher = new RepositoryWatcher(List.of(temp), Duration.ofMillis(5), QUIET, () -> {
            polls.add("poll");
            throw new IllegalStateException("a test's");
        });
        watcher.start();

        for (int i = 0; i < 3; i++) {
            assertThat(polls.take()).isEqualTo("poll");
        }
        Files.createDirectories(temp);
        watcher.close(PATIENT);
    }

    @Test
    void shouldEndWhenItIsClosed() throws IOException {
        for (Duration interval : List.of(NEVER, Duration.ofHours(1))) {
            RepositoryWatcher watcher = watcher(interval);
            watcher.close(PATIENT);

            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .doesNotContain("millrace-poll");
        }
    }
}
