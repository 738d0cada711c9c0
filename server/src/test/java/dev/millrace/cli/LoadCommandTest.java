// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.Bodies;
import dev.millrace.server.JsonTree;
import dev.millrace.server.TestServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `millrace load` against a server in the same process.
class LoadCommandTest {
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
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
        return new Run(code, out.toString(), err.toString());
    }

    /// A short load on few connections, unless the arguments say otherwise.
    private static Run load(String... arguments) {
        List<String> all = new ArrayList<>(List.of("load", server.server().url(), "--warmup", "0s"));
        all.addAll(List.of(arguments));
        if (!all.contains("--duration")) {
            all.addAll(List.of("--duration", "100ms"));
        }
        if (!all.contains("--connections")) {
            all.addAll(List.of("--connections", "8"));
        }
        return run(all.toArray(String[]::new));
    }

    @Test
    void shouldReportHowTheServerAnswered() {
        Run run = load("--model", "linear", "--rate", "500", "--batch", "3", "--p99", "60s", "--duration", "1.2s");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .startsWith(server.server().url() + "/v2/models/linear/infer\nopen loop: 500 requests/s")
                .contains("0 refused   0 timed out   0 lost", "status      200: ", "p99.99", "p99 <= 60 s is held");
        assertThat(run.err()).contains("answers/s", "0 failed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "echo_bool",
                "echo_int8",
                "echo_int16",
                "echo_int32",
                "echo_int64",
                "echo_uint8",
                "echo_uint16",
                "echo_uint32",
                "echo_uint64",
                "echo_fp16",
                "echo_bf16",
                "echo_fp32",
                "echo_fp64",
                "string_only",
                "two_in",
                "gather",
                "scalar",
                "one_row",
            })
    void shouldMakeInputsThatTheServerTakes(String model) {
        Run run = load("--model", model, "--closed", "--duration", "10ms");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("closed loop: 8 connections", " 0 refused", "status      200: ");
    }

    @Test
    void shouldSendTheBodiesAndHeadersThatItIsGiven() throws Exception {
        Path bodies = Files.writeString(temp.resolve("bodies.jsonl"), Bodies.LINEAR + "\n" + Bodies.LINEAR + "\n");
        Run run = load("--model", "linear", "--closed", "--data", bodies.toString(), "--header", "X-Who=me=you");

        assertThat(run.code()).as(run.toString()).isZero();
    }

    @Test
    void shouldWriteJsonToAFileOrInsteadOfTheReport() throws Exception {
        Path file = temp.resolve("result.json");
        String url = server.server().url();
        assertThat(load("--model", "linear", "--rate", "200", "--json", file.toString())
                        .code())
                .isZero();
        JsonTree json = JsonTree.parse(Files.readString(file));
        assertThat(json.get("command").scalars()).startsWith("millrace", "load", url);
        assertThat(json.get("machine").members()).containsKeys("cpu", "cores", "memory", "system", "jvm");
        assertThat(json.get("status").members()).containsOnlyKeys("200");
        assertThat(json.get("latency_us").members()).containsKeys("p50", "p99.99", "max", "percentiles");

        Run run = load("--model", "linear", "--rate", "200", "--json", "-");
        assertThat(JsonTree.parse(run.out()).get("target").text()).isEqualTo(url + "/v2/models/linear/infer");
        assertThat(run.err()).contains("p99.99");
    }

    @Test
    void shouldSayThatTheBoundIsNotHeld() {
        Run run = load("--model", "linear", "--rate", "500", "--p99", "1us");

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).contains("p99 <= 1 us is NOT held");
    }

    @Test
    void shouldFindNoRateWhenTheBoundCannotBeHeld() {
        Run run = load("--model", "linear", "--find-max", "--p99", "1us", "--rate", "2", "--duration", "20ms");

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).contains("trial  1", "trial 10", "not held", "No rate was held");
    }

    @Test
    @Tag("slow")
    void shouldFindTheHighestRate() {
        Run run = load("--model", "linear", "--find-max", "--p99", "50ms", "--rate", "2000", "--duration", "200ms");

        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out()).contains("held", "requests/s with p99 <= 50 ms");
    }

    @Test
    void shouldSayInOneLineWhyThereIsNoLoad() throws Exception {
        assertThat(load("--model", "nobody", "--rate", "10").err())
                .startsWith("millrace: the server at " + server.server().url() + " has no model 'nobody'")
                .hasLineCount(1);
        assertThat(load("--model", "linear", "--model-version", "7", "--rate", "10")
                        .err())
                .contains("no model 'linear' of version 7");
        Path bodies = Files.writeString(temp.resolve("wrong.json"), "{\"inputs\":[]}");
        Run refused = load("--model", "linear", "--rate", "10", "--data", bodies.toString());
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).startsWith("millrace: the server refused the first request: 400 {\"error\":");
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Run nobody = run("load", "http://127.0.0.1:" + port, "--model", "linear", "--rate", "10");
        assertThat(nobody.code()).isEqualTo(1);
        assertThat(nobody.err())
                .isEqualTo("millrace: cannot reach http://127.0.0.1:" + port + ": nobody listens there\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                              | --model",
                "--model linear                                | --rate",
                "--model linear --rate 0                       | --rate",
                "--model linear --rate x                       | --rate",
                "--model linear --find-max                     | --p99",
                "--model linear --closed --rate 5              | --closed",
                "--model linear --rate 5 --duration 10         | 10",
                "--model linear --rate 5 --duration 0s         | --duration",
                "--model linear --rate 5 --connections 0       | --connections",
                "--model linear --rate 5 --batch 0             | --batch",
                "--model linear --rate 5 --shape x=1,a         | x=1,a",
                "--model linear --rate 5 --shape x=1,5         | [-1, 4]",
                "--model linear --rate 5 --header Host=a       | Host",
                "--model linear --rate 5 --header a:b=c        | a:b",
                "--model gather --rate 5 --shape nobody=1      | nobody",
            })
    void shouldSayInOneLineWhatIsWrongWithTheArguments(String arguments, String fragment) {
        Run run = arguments == null ? load() : load(arguments.split(" "));

        assertThat(run.code()).as(run.toString()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("millrace: ").contains(fragment).hasLineCount(1);
    }

    @Test
    void shouldTellItsUsage() {
        assertThat(run("load", "--help").out()).contains("--find-max", "--p99", "10s", "128", "Exit status");
        assertThat(run("load", "https://localhost", "--model", "m", "--rate", "1")
                        .code())
                .isEqualTo(2);
    }
}
