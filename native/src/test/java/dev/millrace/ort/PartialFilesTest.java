// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartialFilesTest {
    /// More than there can be on any system.
    private static final long NOBODY = 999_999_999;

    @TempDir
    Path folder;

    private Path fileOf(long process) throws IOException {
        return Files.createFile(folder.resolve("graph." + process + "-7.partial"));
    }

    @Test
    void shouldRemoveWhatProcessesLeftThatHaveEnded() throws IOException {
        Path left = fileOf(NOBODY);
        // The process had the number that this one has now.
        Path leftBefore = fileOf(ProcessHandle.current().pid());
        Path foreign = Files.createFile(folder.resolve("x.partial"));
        Path whole = Files.createFile(folder.resolve("graph.onnx"));
        Path own = PartialFiles.create(folder, "graph");

        PartialFiles.removeAbandoned(folder);

        assertThat(left).doesNotExist();
        assertThat(leftBefore).doesNotExist();
        assertThat(foreign).exists();
        assertThat(whole).exists();
        assertThat(own).exists();
        PartialFiles.delete(own);
        assertThat(own).doesNotExist();
    }

    @Test
    void shouldLeaveWhatOthersAreWritingButNotForEver() throws IOException {
        ProcessHandle other = ProcessHandle.current().parent().orElseThrow();
        Path file = fileOf(other.pid());

        PartialFiles.removeAbandoned(folder);
        assertThat(file).exists();
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        PartialFiles.removeAbandoned(folder);
        assertThat(file).doesNotExist();
    }

    @Test
    void shouldKnowItsOwnHoweverTheFolderIsWritten() throws IOException {
        Path own = PartialFiles.create(folder, "graph");
        Path here = Path.of("").toAbsolutePath();

        PartialFiles.removeAbandoned(folder.resolve("../" + folder.getFileName()));
        PartialFiles.removeAbandoned(here.relativize(folder));

        assertThat(own).exists();
        PartialFiles.delete(own);
    }

    @Test
    void shouldRemoveOnlyWhatIsCalledSoWhereOthersWriteToo() throws IOException {
        Path own = fileOf(NOBODY);
        Path other = Files.createFile(folder.resolve("graphs." + NOBODY + "-7.partial"));

        PartialFiles.removeAbandoned(folder, "graph");

        assertThat(own).doesNotExist();
        assertThat(other).exists();
    }

    @Test
    void shouldNeedNoFolderToLookThrough() throws IOException {
        PartialFiles.removeAbandoned(folder.resolve("none"));
        PartialFiles.removeAbandoned(Files.createFile(folder.resolve("file")));
        PartialFiles.delete(null);
        assertThat(folder).isDirectoryContaining(path -> path.endsWith("file"));
    }
}
