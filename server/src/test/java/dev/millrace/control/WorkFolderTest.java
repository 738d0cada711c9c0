// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkFolderTest {
    @TempDir
    Path parent;

    /// A folder as a killed process leaves it, with a file in it, and old.
    private Path left(String name) throws IOException {
        Path folder = Files.createDirectories(parent.resolve(name));
        Files.createFile(folder.resolve("lock"));
        Files.writeString(Files.createDirectory(folder.resolve("upload-0")).resolve("file"), "content");
        return aged(folder);
    }

    private static Path aged(Path folder) throws IOException {
        return Files.setLastModifiedTime(folder, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    }

    private void removeAbandoned() {
        new WorkFolder(Optional.of(parent)).removeAbandoned();
    }

    @Test
    void shouldRemoveWhatAProcessLeftAndNothingElse() throws IOException {
        Path left = left("millrace-run-12345678901234567890");

        removeAbandoned();

        assertThat(left).doesNotExist();
        assertThat(parent).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"millrace-run-", "millrace-run-x1", "millrace-run-1.old", "millrace-run-1 2", "other"})
    void shouldLeaveFoldersOfOtherNames(String name) throws IOException {
        Path other = left(name);

        removeAbandoned();

        assertThat(other.resolve("upload-0/file")).hasContent("content");
        assertThat(other.resolve("lock")).exists();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // links need a right of their own there
    void shouldNotFollowALinkOfThatName() throws IOException {
        Path elsewhere = left("elsewhere");
        Path link = Files.createSymbolicLink(parent.resolve("millrace-run-1"), elsewhere);

        removeAbandoned();

        assertThat(link).isSymbolicLink();
        assertThat(elsewhere.resolve("upload-0/file")).hasContent("content");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldNotFollowLinksInWhatItRemoves() throws IOException {
        Path elsewhere = left("elsewhere");
        Path left = left("millrace-run-1");
        Files.createSymbolicLink(left.resolve("link"), elsewhere);

        removeAbandoned();

        assertThat(left).doesNotExist();
        assertThat(elsewhere.resolve("upload-0/file")).hasContent("content");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldLeaveAFolderWhoseLockIsALink() throws IOException {
        Path file = Files.writeString(parent.resolve("file"), "precious");
        Path folder = left("millrace-run-1");
        Files.delete(folder.resolve("lock"));
        Files.createSymbolicLink(folder.resolve("lock"), file);
        aged(folder);

        removeAbandoned();

        assertThat(folder.resolve("upload-0/file")).hasContent("content");
        assertThat(file).hasContent("precious");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldNotWaitForALockThatIsAPipe() throws Exception {
        Path folder = left("millrace-run-1");
        Files.delete(folder.resolve("lock"));
        Process process = new ProcessBuilder("mkfifo", folder.resolve("lock").toString())
                .inheritIO()
                .start();
        assumeThat(process.waitFor()).isZero();
        aged(folder);

        removeAbandoned();

        assertThat(folder.resolve("upload-0/file")).hasContent("content");
        Files.delete(folder.resolve("lock"));
    }

    @Test
    void shouldRemoveOnlyAnEmptyFolderWhereThereIsNoLock() throws IOException {
        Path empty = aged(Files.createDirectory(parent.resolve("millrace-run-1")));
        Path begun = Files.createDirectory(parent.resolve("millrace-run-2"));
        Path full = left("millrace-run-3");
        Files.delete(full.resolve("lock"));
        aged(full);

        removeAbandoned();

        assertThat(empty).doesNotExist();
        assertThat(begun).isDirectory();
        assertThat(full.resolve("upload-0/file")).hasContent("content");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldLeaveWhatAnotherUserLeft() throws IOException {
        Path folder = left("millrace-run-1");
        assumeThat(givesAway(folder)).as("only root can give a folder away").isTrue();

        removeAbandoned();

        assertThat(folder.resolve("upload-0/file")).hasContent("content");
    }

    private static boolean givesAway(Path folder) {
        try {
            Files.setAttribute(folder, "unix:uid", 65_534);
            return true;
        } catch (IOException | UnsupportedOperationException _) {
            return false;
        }
    }

    @Test
    void shouldLeaveAFolderWithItsLockWhenItCannotBeEmptied() throws IOException {
        Path folder = left("millrace-run-1");
        Path upload = folder.resolve("upload-0");
        assumeThat(upload.toFile().setWritable(false)).isTrue();
        try {
            assumeThat(Files.isWritable(upload)).as("root may write everywhere").isFalse();
            removeAbandoned();

            assertThat(folder.resolve("lock")).exists();
        } finally {
            assertThat(upload.toFile().setWritable(true)).isTrue();
        }
        removeAbandoned();
        assertThat(folder).doesNotExist();
    }

    @Test
    void shouldRemoveItsOwnWhenItIsClosed() throws IOException {
        try (WorkFolder work = new WorkFolder(Optional.of(parent))) {
            Path folder = work.path();
            Files.writeString(folder.resolve("file"), "content");
            assertThat(work.path()).isEqualTo(folder);
            removeAbandoned();
            assertThat(folder.resolve("file")).exists();
        }
        try (Stream<Path> files = Files.list(parent)) {
            assertThat(files).isEmpty();
        }
    }
}
