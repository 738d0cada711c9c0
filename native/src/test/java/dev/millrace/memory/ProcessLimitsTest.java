// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class ProcessLimitsTest {
    /// Of the fields behind the name in `stat`, whose first is the state.
    private static final int NICE = 16;

    private static String nice() {
        try {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[NICE];
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldLowerTheThreadsOfAFactoryAndNoOther() throws InterruptedException {
        String before = nice();
        AtomicReference<String> inside = new AtomicReference<>();
        AtomicReference<Boolean> again = new AtomicReference<>();
        ThreadFactory factory =
                ProcessLimits.lowered(Thread.ofPlatform().name("lowered-", 7).factory());
        Thread thread = factory.newThread(() -> {
            inside.set(nice());
            again.set(ProcessLimits.lowerThread());
        });
        thread.start();
        thread.join();

        assertThat(thread.getName()).isEqualTo("lowered-7");
        assertThat(inside.get()).isEqualTo("19");
        assertThat(again.get()).isTrue();
        assertThat(nice()).isEqualTo(before).isNotEqualTo("19");
    }

    @Test
    void shouldGoOnWhenMemoryIsGivenBack() {
        ProcessMemory.trim();
        ProcessMemory.trim();
        assertThat(ProcessMemory.resident()).isPositive();
    }
}
