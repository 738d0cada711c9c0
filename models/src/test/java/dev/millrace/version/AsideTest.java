// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class AsideTest {
    private static final int LOWEST = 19;

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldLowerWhatIsDoneAsideAndWhatItStartsAndNobodyElse() {
        Integer own = nice();
        Integer aside = Aside.run(AsideTest::nice);
        assertThat(aside).isEqualTo(LOWEST);
        Integer started = Aside.run(AsideTest::niceOfProcess);
        assertThat(started).isEqualTo(LOWEST);
        Integer part = Aside.run(() -> Aside.byWhoWaits(AsideTest::nice));
        assertThat(part).isEqualTo(own);
        assertThat(nice()).isEqualTo(own);
    }

    @Test
    void shouldHaveWhoWaitsDoPartsOfIt() {
        Thread own = Thread.currentThread();
        Thread aside = Aside.run(Thread::currentThread);
        assertThat(aside).isNotSameAs(own);
        Thread part = Aside.run(() -> Aside.byWhoWaits(Thread::currentThread));
        assertThat(part).isSameAs(own);
        Thread alone = Aside.byWhoWaits(Thread::currentThread);
        assertThat(alone).isSameAs(own);
    }

    @Test
    void shouldTellWhatFailed() {
        IllegalStateException failure = new IllegalStateException("no");
        assertThatThrownBy(() -> Aside.run(() -> {
                    throw failure;
                }))
                .isSameAs(failure);
        OutOfMemoryError error = new OutOfMemoryError("none");
        assertThatThrownBy(() -> Aside.run(() -> {
                    throw error;
                }))
                .isSameAs(error);
        assertThatThrownBy(() -> Aside.run(() -> Aside.byWhoWaits(() -> {
                    throw error;
                })))
                .isSameAs(error);
        String end = Aside.run(() -> {
            assertThatThrownBy(() -> Aside.byWhoWaits(() -> {
                        throw failure;
                    }))
                    .isSameAs(failure);
            return "goes on";
        });
        assertThat(end).isEqualTo("goes on");
    }

    @Test
    void shouldNotLeaveItAloneWhenInterrupted() {
        Thread own = Thread.currentThread();
        own.interrupt();
        String done = Aside.run(() -> Aside.byWhoWaits(() -> "done"));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(done).isEqualTo("done");
    }

    private static Integer nice() {
        try {
            return nice(Files.readString(Path.of("/proc/thread-self/stat")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Integer niceOfProcess() {
        try {
            Process process = new ProcessBuilder("cat", "/proc/self/stat").start();
            return nice(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The nice value in a line of `/proc/PID/stat`, or nothing where the thread has ended.
    static Optional<Integer> nice(Path task) {
        try {
            return Optional.of(nice(Files.readString(task.resolve("stat"))));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    private static int nice(String stat) {
        // The name, in brackets, may hold anything.
        return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]);
    }
}
