// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.control.Uploads.Upload;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.manage.LoadParameters;
import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UploadsTest {
    private static final byte[] TEN = "0123456789".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    @TempDir
    Path temp;

    private final List<Limit> limited = new ArrayList<>();
    private Uploads uploads;

    private Uploads uploads() {
        uploads = new Uploads(
                Optional.of(temp.resolve("work")), Limits.DEFAULT.with(Limit.MAX_UPLOAD_BYTES, 40), limited::add);
        return uploads;
    }

    @AfterEach
    void close() throws IOException {
        uploads.close();
        assertThat(files()).as("files left behind").isEmpty();
    }

    private static LoadParameters with(String... names) {
        Map<String, byte[]> files = new java.util.HashMap<>();
        for (String name : names) {
            files.put(name, TEN);
        }
        return new LoadParameters(Optional.of("{}"), files, false);
    }

    /// Everything below the work folder but the lock.
    private List<String> files() throws IOException {
        if (!Files.exists(temp.resolve("work"))) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(temp.resolve("work"))) {
            return paths.filter(Files::isRegularFile)
                    .filter(path -> !path.endsWith("lock"))
                    .map(path -> path.subpath(path.getNameCount() - 3, path.getNameCount())
                            .toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void shouldWriteAModelFolderThatNobodyElseReads() throws IOException {
        Upload upload = uploads().write("m", with("1/model.onnx", "2/deep/weights"));

        assertThat(upload.model().getFileName()).hasToString("m");
        assertThat(upload.model().resolve("1/model.onnx")).hasBinaryContent(TEN);
        assertThat(upload.model().resolve("2/deep/weights")).hasBinaryContent(TEN);
        assertThat(upload.model()).startsWith(temp.resolve("work"));
        assertThat(java.nio.file.attribute.PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(upload.home().getParent())))
                .isEqualTo("rwx------");
    }

    @Test
    void shouldKeepWhatIsServedAndWhatWasServedBefore() throws IOException {
        uploads();
        for (int i = 1; i <= 3; i++) {
            uploads.served("m", uploads.write("m", with(i + "/model.onnx")));
        }
        assertThat(files()).containsExactly("m/2/model.onnx", "m/3/model.onnx");

        uploads.rolledBack("m");
        uploads.served("m", uploads.write("m", with("4/model.onnx")));
        assertThat(files()).containsExactly("m/2/model.onnx", "m/4/model.onnx");

        uploads.unloaded("m");
        uploads.unloaded("nobody");
        assertThat(files()).isEmpty();
    }

    @Test
    void shouldKeepWhatARollbackWouldLoadWhenTheRepositoryCameInBetween() throws IOException {
        uploads();
        uploads.served("m", uploads.write("m", with("1/model.onnx")));
        uploads.served("m", uploads.write("m", with("2/model.onnx")));
        uploads.served("m", null);
        assertThat(files()).containsExactly("m/2/model.onnx");

        uploads.rolledBack("m");
        uploads.served("m", uploads.write("m", with("3/model.onnx")));
        assertThat(files()).containsExactly("m/2/model.onnx", "m/3/model.onnx");

        uploads.served("m", null);
        uploads.served("m", null);
        assertThat(files()).isEmpty();
    }

    @Test
    void shouldBoundWhatLiesOnDisk() throws IOException {
        uploads();
        uploads.served("a", uploads.write("a", with("1/a", "1/b", "1/c")));
        assertThatThrownBy(() -> uploads.write("b", with("1/a", "1/b")))
                .isInstanceOfSatisfying(
                        ManagementException.class,
                        problem -> assertThat(problem.problem()).isEqualTo(Problem.TOO_LARGE))
                .hasMessageContainingAll("20 bytes", "30 bytes", "--max-upload-bytes");
        assertThat(limited).containsExactly(Limit.MAX_UPLOAD_BYTES);
        assertThat(files()).hasSize(3);

        uploads.unloaded("a");
        uploads.drop(uploads.write("b", with("1/a", "1/b", "1/c", "1/d")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", ".", "", "a/b", "a\\b", "a b", "ä", ".git", "a:b", "../m", "m\0"})
    void shouldRefuseModelsThatNoFolderShouldBeCalled(String model) {
        assertThatThrownBy(() -> uploads().write(model, with("1/model.onnx")))
                .isInstanceOf(ManagementException.class)
                .hasMessageContaining("expected a name of letters");
    }

    @Test
    void shouldLeaveNothingBehindWhenANameIsRefused() {
        uploads();
        assertThatThrownBy(() -> uploads.write("m", with("1/model.onnx", "../../evil")))
                .hasMessageContaining("file:../../evil");
        assertThatThrownBy(() -> uploads.write("m", with("1/a", "1/a/b"))).isInstanceOf(ManagementException.class);
        assertThat(temp.resolve("evil")).doesNotExist();
    }

    @Test
    void shouldWriteNothingBeforeItHasTo() {
        uploads();

        assertThat(temp.resolve("work")).doesNotExist();
    }

    @Test
    void shouldRemoveWhatAKilledProcessLeft() throws IOException {
        Path abandoned = Files.createDirectories(temp.resolve("work/millrace-run-1/upload-0/m/1"));
        Files.write(abandoned.resolve("model.onnx"), TEN);
        Files.createFile(temp.resolve("work/millrace-run-1/lock"));
        Path begun = Files.createDirectories(temp.resolve("work/millrace-run-2"));
        Path begunLongAgo = Files.createDirectories(temp.resolve("work/millrace-run-4"));
        Files.setLastModifiedTime(begunLongAgo, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
        Path alive = Files.createDirectories(temp.resolve("work/millrace-run-3"));
        Path other = Files.createDirectories(temp.resolve("work/other"));
        try (FileChannel channel =
                        FileChannel.open(alive.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = channel.lock()) {
            uploads().removeAbandoned();
        }

        assertThat(temp.resolve("work/millrace-run-1")).doesNotExist();
        assertThat(begunLongAgo).doesNotExist();
        assertThat(begun).isDirectory();
        assertThat(alive).isDirectory();
        assertThat(other).isDirectory();
    }

    @Test
    void shouldNotRemoveWhatThisProcessUses() throws IOException {
        Upload upload = uploads().write("m", with("1/model.onnx"));
        try (Uploads other = new Uploads(Optional.of(temp.resolve("work")), Limits.DEFAULT, limited::add)) {
            other.removeAbandoned();
            other.write("m", with("1/model.onnx"));
        }
        new Uploads(Optional.of(temp.resolve("work")), Limits.DEFAULT, limited::add).removeAbandoned();

        assertThat(upload.model().resolve("1/model.onnx")).exists();
        Path locks = Path.of("/proc/locks");
        if (Files.exists(locks)) {
            Path lock = upload.home().resolveSibling("lock");
            assertThat(Files.readString(locks))
                    .contains(
                            " " + ProcessHandle.current().pid() + " ",
                            ":" + Files.getAttribute(lock, "unix:ino") + " ");
        }
    }
}
