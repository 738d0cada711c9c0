// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class WorkDirectoryTest {
    private static final FileTime LONG_AGO = FileTime.from(Instant.now().minus(Duration.ofHours(1)));
    private static final List<String> PROPERTIES =
            List.of("millrace.cache", "io.netty.native.workdir", "java.io.tmpdir");

    @TempDir
    Path temp;

    private final Map<String, String> before = new HashMap<>();
    private Path work;

    @BeforeEach
    void keepProperties() throws IOException {
        PROPERTIES.forEach(name -> before.put(name, System.getProperty(name)));
        System.clearProperty("millrace.cache");
        System.clearProperty("io.netty.native.workdir");
        System.setProperty(
                "java.io.tmpdir", Files.createDirectory(temp.resolve("tmp")).toString());
        work = temp.resolve("work");
    }

    @AfterEach
    void restoreProperties() {
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }

    private Path old(String path) throws IOException {
        Path file = work.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.setLastModifiedTime(Files.writeString(file, "somebody's"), LONG_AGO);
    }

    @Test
    void shouldSendWhatIsWrittenThereAndLeaveNoProbe() throws IOException {
        WorkDirectory.use(work);

        assertThat(System.getProperty("millrace.cache"))
                .isEqualTo(work.resolve("cache").toString());
        assertThat(System.getProperty("io.netty.native.workdir"))
                .isEqualTo(work.resolve("netty").toString());
        try (Stream<Path> files = Files.walk(temp)) {
            assertThat(files).allMatch(Files::isDirectory);
        }
    }

    @Test
    void shouldRemoveOnlyOldLibrariesOfNetty() throws IOException {
        Path left = old("netty/libnetty_transport_native_epoll_x86_64123.so");
        Path foreign = old("netty/notes.txt");
        Path folder = old("netty/libnetty/file").getParent();
        Files.setLastModifiedTime(folder, LONG_AGO);
        Path loading = Files.createFile(work.resolve("netty/libnetty_being_loaded.so"));
        Path cached = old("cache/libnetty.so");
        Path other = old("cache/model.onnx");
        Path above = old("libnetty.so");

        WorkDirectory.use(work);

        assertThat(left).doesNotExist();
        assertThat(List.of(foreign, folder.resolve("file"), loading, cached, other, above))
                .allSatisfy(file -> assertThat(file).exists());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // links need a right of their own there
    void shouldNotFollowLinksThatLieWhereItWrites() throws IOException {
        Path precious = Files.writeString(temp.resolve("precious"), "precious");
        Files.setLastModifiedTime(precious, LONG_AGO);
        Files.createDirectories(work.resolve("netty"));
        Path library = Files.createSymbolicLink(work.resolve("netty/libnetty.so"), precious);
        Path probe = Files.createSymbolicLink(temp.resolve("tmp/.millrace-probe"), precious);

        WorkDirectory.use(work);

        assertThat(precious).hasContent("precious");
        assertThat(List.of(library, probe)).allMatch(Files::isSymbolicLink);
    }

    @Test
    void shouldRemoveItsOwnProbesAloneWhereOthersWriteToo() throws IOException {
        // No process has this number.
        Path probe = Files.createFile(temp.resolve("tmp/.millrace-probe.999999999-1.partial"));
        Path foreign = Files.createFile(temp.resolve("tmp/other.999999999-1.partial"));

        WorkDirectory.use(work);

        assertThat(probe).doesNotExist();
        assertThat(foreign).exists();
    }

    @Test
    void shouldSayWhatCannotBeWrittenTo() throws IOException {
        Path file = Files.createFile(temp.resolve("file"));

        assertThatThrownBy(() -> WorkDirectory.use(file))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("--work-dir is " + file + ", expected a folder that can be written to: ");
    }
}
