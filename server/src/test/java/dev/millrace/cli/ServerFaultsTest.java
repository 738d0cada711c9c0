// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.millrace.server.Harmful;
import dev.millrace.server.RawClient;
import dev.millrace.server.TestModels;
import dev.millrace.server.Traffic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// What goes wrong around a server while it is asked all the time: a process of its own, so that its disk can be full.
@DisabledOnOs(OS.WINDOWS)
class ServerFaultsTest {
    private static final int ENOUGH = 20;
    /// Of the table of a model that is larger than there is room for: 4 MB.
    private static final int MANY_ROWS = 500_000;

    @TempDir
    Path temp;

    private Path repository;
    private Path work;

    @BeforeEach
    void write() {
        repository = temp.resolve("repository");
        work = temp.resolve("work");
        TestModels.write(repository, "m", 1, TestModels.answering(1));
    }

    private ServerProcess explicit(List<String> wrapper, String... more) {
        List<String> arguments = new ArrayList<>(List.of("--model-control-mode", "explicit", "--load-model", "m"));
        arguments.addAll(List.of(more));
        return ServerProcess.start(wrapper, repository, work, arguments.toArray(String[]::new))
                .awaitReady();
    }

    private static String upload(int version, byte[] model) {
        return "{\"parameters\":{\"config\":\"{}\",\"file:" + version + "/model.onnx\":\"" + TestModels.base64(model)
                + "\"}}";
    }

    /// No file can be larger than 512 or 1024 times 1024 bytes, whichever the shell counts in.
    @Test
    void shouldGoOnServingWhenFilesCannotBeWrittenWhole() throws IOException {
        outOfRoom(List.of("sh", "-c", "ulimit -f 1024 && exec \"$@\"", "sh"), "File too large");
        try (Stream<Path> files = Files.walk(work)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString()))
                    .noneMatch(name -> name.endsWith(".partial"));
        }
    }

    /// The work folder is a file system of 2 MB that nobody else sees.
    @Test
    @Tag("slow")
    @EnabledOnOs(OS.LINUX)
    void shouldGoOnServingWhenTheDiskIsFull() throws Exception {
        outOfRoom(inOwnMounts("mount -t tmpfs -o size=2m tmpfs '%s'"), "No space left on device");
    }

    /// A folder to work in is all that may be written to; models come and go all the same.
    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldServeWhenOnlyItsWorkFolderCanBeWrittenTo() throws Exception {
        String mount = "mount --bind '%s' '%1$s' && mount -o remount,bind,ro /";
        List<String> wrapper = inOwnMounts(mount + " && ! touch '" + temp.resolve("elsewhere") + "' 2>/dev/null");
        try (ServerProcess server = explicit(wrapper);
                Traffic traffic = Traffic.start(server.port(), "m", 2)) {
            RawClient.Answer loaded = server.change("m/load", upload(2, TestModels.answering(2)));
            assertThat(loaded.status()).as(loaded.body()).isEqualTo(200);
            traffic.awaitVersion(2);
            traffic.expectEnd();
            assertThat(server.terminate()).as(server.errors()).isZero();
            assertThat(server.errors()).doesNotContain("Read-only file system").doesNotContain("ERROR");
        }
        try (Stream<Path> left = Files.list(work.resolve("trials"))) {
            assertThat(left).isNotEmpty();
        }
    }

    /// What runs a command with other file systems than the rest of the machine has.
    ///
    /// @param mount how, `%s` being the folder to work in
    private List<String> inOwnMounts(String mount) throws Exception {
        Files.createDirectories(work);
        String script = mount.formatted(work) + " && exec \"$@\"";
        // As root, or else as one in a name space of one's own, where the system lets users have some.
        for (String option : List.of("-m", "-rm")) {
            List<String> candidate = List.of("unshare", option, "sh", "-c", script, "sh");
            if (succeeds(candidate)) {
                return candidate;
            }
        }
        return abort("no file system can be mounted here");
    }

    private static boolean succeeds(List<String> wrapper) throws InterruptedException {
        List<String> command = new ArrayList<>(wrapper);
        command.add("true");
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException _) {
            return false; // there is no such command
        }
    }

    private void outOfRoom(List<String> wrapper, String reason) {
        try (ServerProcess server = explicit(wrapper);
                Traffic traffic = Traffic.start(server.port(), "m", 2)) {
            RawClient.Answer refused = server.change("m/load", upload(2, TestModels.manyOperators(2, MANY_ROWS)));
            assertThat(refused.status()).as(refused.body()).isEqualTo(503);
            assertThat(refused.body()).contains("the files of model 'm' cannot be written: ", reason);
            assertThat(server.index())
                    .contains("\"version\":\"1\",\"state\":\"READY\"")
                    .doesNotContain("\"2\"");
            traffic.awaitMore(ENOUGH);

            // What was written of it is gone again: there is room for less.
            RawClient.Answer loaded = server.change("m/load", upload(3, TestModels.answering(3)));
            assertThat(loaded.status()).as(loaded.body()).isEqualTo(200);
            traffic.awaitVersion(3);

            TestModels.write(repository, "m", 4, TestModels.manyOperators(4, MANY_ROWS));
            assertThat(server.change("m/load", "").status()).isEqualTo(200);
            traffic.awaitVersion(4);
            assertThat(server.errors()).contains("WARN  GraphCache: the optimised graph of ", " cannot be kept in ");
            TestModels.write(repository, "m", 5, TestModels.manyOperators(5, 4));
            assertThat(server.change("m/load", "").status()).isEqualTo(200);
            traffic.awaitVersion(5);
            traffic.expectEnd();
            assertThat(server.terminate()).as(server.errors()).isZero();
        }
    }

    @Test
    @Tag("slow")
    void shouldGoOnServingWhenAModelDoesNotEnd() {
        try (ServerProcess server = explicit(List.of(), "--trial-timeout", "5");
                Traffic traffic = Traffic.start(server.port(), "m", 2)) {
            TestModels.write(repository, "m", 2, Harmful.endless());

            RawClient.Answer refused = server.change("m/load", "");

            String message = "its trial did not end within 5000 ms";
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body()).contains("model 'm' version 2: cannot load ", message);
            assertThat(server.errors()).contains("model m version 2 is not served: cannot load ", message);
            assertThat(server.index()).contains("\"version\":\"1\",\"state\":\"READY\"", message);
            assertThat(server.ask(RawClient.get("/metrics")).body())
                    .contains("millrace_model_load_failures_total{model=\"m\",reason=\"hung\"} 1.0");
            assertThat(server.trials()).isEmpty();
            traffic.awaitMore(ENOUGH);
        }
    }

    @Test
    void shouldServeWhatIsLeftWhenAFolderIsDeletedThatIsPolled() throws IOException {
        TestModels.write(repository, "m", 2, TestModels.answering(2));
        try (ServerProcess server = ServerProcess.start(
                                List.of(), repository, work, "--model-control-mode", "poll", "--model-trial", "false")
                        .awaitReady();
                Traffic traffic = Traffic.start(server.port(), "m", 2)) {
            traffic.awaitVersion(2);
            // One by one, as a command would: it may be seen in between.
            Files.delete(repository.resolve("m/2/model.onnx"));
            traffic.awaitMore(ENOUGH);
            Files.delete(repository.resolve("m/2"));

            traffic.awaitVersion(1);
            assertThat(server.index()).contains("\"version\":\"1\",\"state\":\"READY\"");
        }
    }
}
