// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.ort.OrtRuntime;
import dev.millrace.server.RawClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `millrace serve` as a process of its own, on ports that are free, with one where everybody may change models. What
/// it says on stderr is in a file. Closing it ends it by force.
final class ServerProcess implements AutoCloseable {
    private static final Pattern PORT = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)");
    private static final long PATIENCE_SECONDS = 60;

    private final Process process;
    private final BufferedReader out;
    private final Path errors;
    private int port;
    private int adminPort;
    private String readiness = "";

    private ServerProcess(Process process, Path errors) {
        this.process = process;
        this.out = process.inputReader();
        this.errors = errors;
    }

    /// Starts it.
    ///
    /// @param wrapper a command that runs the one which follows it; may be empty
    /// @param work its work folder
    static ServerProcess start(List<String> wrapper, Path repository, Path work, String... arguments) {
        try {
            Files.createDirectories(work);
            List<String> command = new ArrayList<>(wrapper);
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of(
                    "--enable-native-access=ALL-UNNAMED",
                    "-Xmx256m",
                    "-XX:TieredStopAtLevel=1",
                    "-Djava.io.tmpdir=" + work,
                    "-cp",
                    System.getProperty("java.class.path")));
            // Extracted once for all tests, and not into a folder where there is no room.
            OrtRuntime.version();
            OrtRuntime.libraries().ifPresent(folder -> command.add("-Donnxruntime.native.path=" + folder));
            command.addAll(List.of(Main.class.getName(), "serve"));
            command.addAll(List.of("--http-port", "0", "--admin-port", "0", "--shutdown-grace", "0"));
            command.addAll(List.of("--model-repository", repository.toString(), "--work-dir", work.toString()));
            command.addAll(List.of(arguments));
            Path errors = Files.createTempFile(repository.toAbsolutePath().getParent(), "stderr", ".txt");
            Process process =
                    new ProcessBuilder(command).redirectError(errors.toFile()).start();
            return new ServerProcess(process, errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits until it is ready.
    ServerProcess awaitReady() {
        try {
            readiness = out.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertThat(readiness).as(errors()).isNotNull();
        Matcher ports = PORT.matcher(readiness);
        assertThat(ports.find()).as(readiness).isTrue();
        port = Integer.parseInt(ports.group(1));
        assertThat(ports.find()).as(readiness).isTrue();
        adminPort = Integer.parseInt(ports.group(1));
        return this;
    }

    /// What it said when it was ready.
    String readiness() {
        return readiness;
    }

    int port() {
        return port;
    }

    Process process() {
        return process;
    }

    String errors() {
        try {
            return Files.readString(errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RawClient.Answer ask(String request) {
        return ask(port, request);
    }

    /// Asks for a change of a model.
    RawClient.Answer change(String path, String body) {
        return ask(adminPort, RawClient.post("/v2/repository/models/" + path, body));
    }

    String index() {
        return ask(RawClient.post("/v2/repository/index", "")).body();
    }

    private static RawClient.Answer ask(int port, String request) {
        try (RawClient client = RawClient.connect(port)) {
            return client.send(request).read();
        }
    }

    /// The trials that go on.
    List<ProcessHandle> trials() {
        return process.descendants()
                .filter(child -> child.info().commandLine().orElse("").contains("TrialProcess"))
                .toList();
    }

    /// Asks it to stop, and waits.
    ///
    /// @return its exit code
    int terminate() {
        process.destroy();
        return exitCode();
    }

    int exitCode() {
        try {
            assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
                    .as(errors())
                    .isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
