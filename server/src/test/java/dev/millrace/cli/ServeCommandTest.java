// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.millrace.server.Bodies;
import dev.millrace.server.RawClient;
import dev.millrace.server.TestServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The command as a process of its own where it has to be one.
class ServeCommandTest {
    private static final Pattern READY =
            Pattern.compile("Millrace \\S+ ready at http://127\\.0\\.0\\.1:(\\d+) - models: (.*)");

    private final List<Process> started = new ArrayList<>();

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
        return new Run(code, out.toString(), err.toString());
    }

    /// A test that fails leaves no server behind.
    @AfterEach
    void stop() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldTellVersionAndUsage() {
        assertThat(run("--version").out()).startsWith("millrace ");
        assertThat(run("--help").out()).contains("serve", "millrace bench --help");
        assertThat(run("serve", "--help").out())
                .contains("--model-repository", "--http-host", "--http-port", "127.0.0.1", "8000")
                .contains("--max-connections=N", "--head-timeout=DURATION", "--max-body-bytes=BYTES", "67108864");
        assertThat(run("serve", "--help").code()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                              | which command",
                "bogus                                         | bogus",
                "serve --bogus                                 | --bogus",
                "serve                                         | --model-repository",
                "serve --model-repository no/such/folder       | no/such/folder",
                "serve --model-repository . --http-port http   | http",
                "serve --model-repository . --http-port 70000  | 70000",
                "serve --model-repository . --event-loops 0    | event loop",
                "serve --model-repository . --agents -1        | agents",
                "serve --model-repository . --max-body-bytes 0 | --max-body-bytes must be from 1",
                "serve --model-repository . --head-timeout 10  | is no duration",
                "serve --model-repository . --shutdown-grace -1| --shutdown-grace",
                "serve --model-repository . --model-control-mode auto  | auto",
                "serve --model-repository . --load-model m             | expected the model control mode explicit",
                "serve --model-repository . --repository-poll-secs -1  | every 0 seconds or more",
                "serve --model-repository . --admin-port 70000         | admin port",
                "serve --model-repository . --admin-token-file no/file | no/file",
                "serve --model-repository . --admin-token ü            | admin token",
                "serve --model-repository . --admin-token a --admin-token-file b | expected one",
                "serve --model-repository . --strict-readiness maybe   | maybe",
                "serve --model-repository . --model-trial maybe        | maybe",
                "serve --model-repository . --trial-memory-bytes 0     | --trial-memory-bytes must be at least 1, was"
                        + " 0",
                "serve --model-repository . --trial-timeout 0          | --trial-timeout must be 1 second or more, was"
                        + " 0",
                "serve --model-repository . --model-control-mode explicit --load-model * --load-model m | alone",
                "serve --model-repository . --max-headers many | many",
            })
    void shouldSayInOneLineWhatIsWrongWithTheArguments(String arguments, String fragment) {
        Run run = arguments == null ? run() : run(arguments.split(" "));

        assertThat(run.code()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("millrace: ").contains(fragment);
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void shouldSayInOneLineThatAPortIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            Process process = start("--model-repository", temp.toString(), "--http-port", "" + taken.getLocalPort());

            assertThat(process.waitFor()).isEqualTo(1);
            assertThat(process.inputReader().lines()).isEmpty();
            assertThat(process.errorReader().lines())
                    .singleElement()
                    .asString()
                    .startsWith("millrace: cannot listen on 127.0.0.1:" + taken.getLocalPort())
                    .contains("in use");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    @DisabledOnOs(OS.WINDOWS)
    void shouldServeUntilItIsToldToStop(String signal) throws Exception {
        assumeFalse(signal.equals("INT") && isInterruptIgnored(), "SIGINT is ignored here, as in a shell's background");
        copyModel("linear");
        copyModel("corrupt");
        Process process = start("--model-repository", temp.toString(), "--http-port", "0", "--shutdown-grace", "1");
        BufferedReader out = process.inputReader();
        Matcher ready = READY.matcher(out.readLine());
        assertThat(ready.matches()).isTrue();
        assertThat(ready.group(2)).isEqualTo("linear:1; not served: corrupt:1");

        try (RawClient client = RawClient.connect(Integer.parseInt(ready.group(1)))) {
            assertThat(client.send(RawClient.get("/v2/models/linear/ready"))
                            .read()
                            .status())
                    .isEqualTo(200);
            signal(process, signal);
            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(process.waitFor()).isZero();
        assertThat(out.lines()).isEmpty();
        assertThat(process.errorReader().lines()).singleElement().asString().contains("ERROR", "corrupt", "not served");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldGoOnServingForAWhileWhenItIsTerminated() throws Exception {
        copyModel("linear");
        Process process = start("--model-repository", temp.toString(), "--http-port", "0", "--shutdown-grace", "10000");
        Matcher ready = READY.matcher(process.inputReader().readLine());
        assertThat(ready.matches()).isTrue();

        signal(process, "TERM");
        while (ask(ready.group(1), RawClient.get("/v2/health/ready")).status() != 503) {
            Thread.sleep(5);
        }
        RawClient.Answer answer = ask(ready.group(1), RawClient.post("/v2/models/linear/infer", Bodies.LINEAR));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.headers()).containsEntry("connection", "close");
        signal(process, "TERM");

        assertThat(process.waitFor()).isEqualTo(1);
    }

    private static RawClient.Answer ask(String port, String request) {
        try (RawClient client = RawClient.connect(Integer.parseInt(port))) {
            return client.send(request).read();
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldStopAtOnceWhenItIsToldTwice() throws Exception {
        copyModel("slow");
        Process process = start("--model-repository", temp.toString(), "--http-port", "0", "--shutdown-grace", "0");
        Matcher ready = READY.matcher(process.inputReader().readLine());
        assertThat(ready.matches()).isTrue();

        try (RawClient client = RawClient.connect(Integer.parseInt(ready.group(1)))) {
            client.send(RawClient.post("/v2/models/slow/infer", Bodies.slow(10_000_000_000L)));
            signal(process, "TERM");
            while (process.isAlive() && canConnect(ready.group(1))) {
                Thread.sleep(5);
            }
            signal(process, "TERM");
            assertThat(process.waitFor()).isEqualTo(1);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldWriteToItsWorkDirectoryOnly() throws Exception {
        copyModel("linear");
        Path work = Files.createDirectories(temp.resolve(".work"));
        // Nobody can write there, not even root.
        Process process = start(
                List.of("-Djava.io.tmpdir=" + work, "-Duser.home=/dev/null/home"),
                "--model-repository",
                temp.toString(),
                "--http-port",
                "0",
                "--shutdown-grace",
                "0",
                "--work-dir",
                work.toString());
        assertThat(process.inputReader().readLine()).endsWith(" - models: linear:1");
        signal(process, "TERM");
        assertThat(process.waitFor()).isZero();

        assertThat(process.errorReader().lines()).isEmpty();
        try (Stream<Path> files = Files.walk(work)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString()))
                    .hasSize(2)
                    .allMatch(name -> name.contains("onnxruntime"));
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldChangeModelsForWhoHasTheTokenOfTheFile() throws Exception {
        copyModel("linear");
        Path token = Files.writeString(temp.resolve(".token"), "a-token-for-tests\n");
        Process process = start(
                "--model-repository",
                temp.toString(),
                "--http-port",
                "0",
                "--shutdown-grace",
                "0",
                "--model-control-mode",
                "explicit",
                "--admin-port",
                "0",
                "--admin-token-file",
                token.toString(),
                "--verbose");
        String ready = process.inputReader().readLine();
        Matcher ports = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)").matcher(ready);
        assertThat(ready).endsWith(" - models: none");
        assertThat(ports.find()).isTrue();
        String port = ports.group(1);
        assertThat(ports.find()).isTrue();
        String path = "/v2/repository/models/linear/";

        assertThat(ask(port, RawClient.post(path + "load", "")).status()).isEqualTo(401);
        assertThat(ask(port, RawClient.post(path + "load", "", "Authorization: Bearer a-token-for-tests\r\n"))
                        .status())
                .isEqualTo(200);
        assertThat(ask(ports.group(1), RawClient.post(path + "unload", "")).status())
                .isEqualTo(200);
        signal(process, "TERM");
        assertThat(process.waitFor()).isZero();
        assertThat(process.errorReader().lines()).noneMatch(line -> line.contains("a-token-for-tests"));
    }

    @Test
    void shouldEndWhenAModelCannotBeLoadedIfThatIsAskedFor() throws Exception {
        copyModel("linear");
        copyModel("corrupt");
        Process process = start("--model-repository", temp.toString(), "--http-port", "0", "--exit-on-error", "true");

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(process.inputReader().lines()).isEmpty();
        assertThat(process.errorReader().lines())
                .anyMatch(line -> line.startsWith("millrace:")
                        && line.contains("--exit-on-error")
                        && line.endsWith(": corrupt:1"));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldSayThatItsWorkDirectoryIsNoUse() throws Exception {
        Process process = start(
                List.of("-Djava.io.tmpdir=/dev/null/tmp"),
                "--model-repository",
                temp.toString(),
                "--work-dir",
                temp.toString());

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(process.errorReader().lines().filter(line -> line.startsWith("millrace:")))
                .singleElement()
                .asString()
                .contains("-Djava.io.tmpdir=" + temp, "/dev/null/tmp");
        assertThat(run("serve", "--model-repository", temp.toString(), "--work-dir", "/dev/null/work")
                        .err())
                .contains("--work-dir is /dev/null/work, expected a folder that can be written to");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void shouldServeTheExampleModelsOfItsCheckout() throws Exception {
        Path zoo = Files.createDirectories(temp.resolve("models/zoo"));
        copy("linear", zoo);
        Process process =
                start(List.of("-Dmillrace.home=" + temp), "--http-port", "0", "--shutdown-grace", "0", "--verbose");
        try {
            assertThat(process.inputReader().readLine()).endsWith(" - models: linear:1");
            assertThat(process.errorReader().readLine()).contains("INFO", "native memory");
            assertThat(process.errorReader().readLine()).contains("INFO", "linear");
        } finally {
            process.destroy();
        }
        assertThat(process.waitFor()).isZero();
    }

    /// A process that was started with a signal ignored hands that down, and a JVM leaves it so.
    private static boolean isInterruptIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("SigIgn:"))
                    .mapToLong(line -> Long.parseUnsignedLong(line.split("\\s+")[1], 16))
                    .anyMatch(mask -> (mask & 1L << 1) != 0);
        }
    }

    private static boolean canConnect(String port) {
        try (RawClient _ = RawClient.connect(Integer.parseInt(port))) {
            return true;
        } catch (java.io.UncheckedIOException _) {
            return false;
        }
    }

    private static void signal(Process process, String name) throws Exception {
        int code = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .inheritIO()
                .start()
                .waitFor();
        assertThat(code).isZero();
    }

    private Process start(String... arguments) throws IOException {
        return start(List.of(), arguments);
    }

    private Process start(List<String> options, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "serve"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).start();
        started.add(process);
        return process;
    }

    private void copyModel(String name) throws IOException {
        copy(name, temp);
    }

    private static void copy(String name, Path repository) throws IOException {
        Path version = Files.createDirectories(repository.resolve(name).resolve("1"));
        Files.copy(TestServer.models().resolve(name + "/1/model.onnx"), version.resolve("model.onnx"));
    }
}
