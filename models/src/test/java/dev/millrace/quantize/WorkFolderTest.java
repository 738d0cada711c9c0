// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The folder of a model that is being made goes when it is done, and when the process is told to end.
class WorkFolderTest {
    @TempDir
    Path temp;

    @Test
    void shouldBeGoneWhenItIsClosed() throws IOException {
        Path path;
        try (WorkFolder folder = WorkFolder.open()) {
            path = folder.path();
            Files.createDirectory(path.resolve("inner"));
            Files.writeString(path.resolve("inner/file"), "anything");
        }
        assertThat(path).doesNotExist();
    }

    @Test
    void shouldBeGoneWhenTheProcessIsToldToEnd() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temp,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Holder.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = process.inputReader()) {
            Path path = Path.of(said.readLine());
            assertThat(path).isNotEmptyDirectory();

            process.destroy();

            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            assertThat(path).doesNotExist();
        } finally {
            process.destroyForcibly();
        }
    }

    /// A process that works in a folder for ever.
    static final class Holder {
        private Holder() {}

        static void main(String[] args) throws Exception {
            try (WorkFolder folder = WorkFolder.open()) {
                Files.writeString(folder.path().resolve("file"), "anything");
                System.out.println(folder.path());
                new CountDownLatch(1).await();
            }
        }
    }
}
