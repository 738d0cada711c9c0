// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.millrace.server.JsonTree;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `millrace conformance` as it is called.
class ConformanceCommandTest {
    private static TestServer server;

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("conformance"));
        all.addAll(List.of(arguments));
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all.toArray(String[]::new));
        return new Run(code, out.toString(), err.toString());
    }

    @Test
    void shouldReportAndWriteFilesWhenAServerAnswers() throws IOException {
        Path json = temp.resolve("results.json");
        Path junit = temp.resolve("results.xml");

        Run run = run(
                server.server().url(),
                "--model",
                "linear",
                "--only",
                "server,10-12",
                "--json",
                json.toString(),
                "--junit",
                junit.toString());

        assertThat(run.code()).as(run.out() + run.err()).isZero();
        assertThat(run.out()).contains(" 10  infer.flat", "7 cases: 7 passed, 0 deviate, 0 failed, 0 skipped");
        assertThat(JsonTree.parse(Files.readString(json)).get("cases").elements())
                .hasSize(7);
        assertThat(Files.readString(junit)).contains("tests=\"7\" failures=\"0\"");
    }

    @Test
    void shouldExitWithOneWhenARequiredCaseFails() {
        // In a folder that this server does not have, every path is unknown.
        Run run = run(server.server().url() + "/elsewhere", "--only", "server");

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).contains("FAILED", "does not do all that the specification asks for");
    }

    @Test
    void shouldExitWithOneWhenStrictAndSomethingDeviates() throws IOException {
        HttpServer content = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        content.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write(new byte[] {'{', '}'});
            exchange.close();
        });
        content.start();
        try {
            String url = "http://127.0.0.1:" + content.getAddress().getPort();

            Run run = run(url, "--only", "3");
            assertThat(run.code()).isZero();
            assertThat(run.out()).contains("deviates  expected a refusal, came 200", "0 passed, 1 deviate");
            assertThat(run(url, "--only", "3", "--strict").code()).isEqualTo(1);
        } finally {
            content.stop(0);
        }
    }

    @Test
    void shouldWriteModelsWhenAskedTo() {
        Run run = run("--write-models", temp.resolve("models").toString());

        assertThat(run.code()).isZero();
        assertThat(temp.resolve("models/conformance_two/1/model.onnx")).isNotEmptyFile();
        assertThat(temp.resolve("models/conformance_classes/labels.txt")).hasContent("ant\nbee\ncat\ndog\n");
    }

    @Test
    void shouldListCasesWhenAskedTo() {
        assertThat(run("--list", "--only", "http").out().lines())
                .isNotEmpty()
                .allMatch(line -> line.matches(" *\\d+  http\\..*"));
    }

    @Test
    void shouldSayThatNobodyIsThereWhenNobodyIs() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }

        Run run = run("http://127.0.0.1:" + port);

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).startsWith("millrace: http://127.0.0.1:" + port + ": ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "                              | which server? Give its address, as http://127.0.0.1:8000",
                "ftp://a                       | 'ftp://a' is no URL like http://127.0.0.1:8000",
                "http://a?b                    | 'http://a?b' has more than a host, a port and a path",
                "http://a --only none          | there is no case 'none'",
                "http://a --timeout 0          | --timeout must be from 1 to 3600, was 0",
            })
    void shouldComplainInOneLineWhenCalledWrongly(String arguments, String message) {
        Run run = run(arguments == null ? new String[0] : arguments.split(" "));

        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).isEqualTo("millrace: " + message + " (see 'millrace conformance --help')\n");
    }
}
