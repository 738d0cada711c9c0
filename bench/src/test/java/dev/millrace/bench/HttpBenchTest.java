// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bench.HttpBench.Both;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.wire.EchoServer;
import dev.millrace.bench.wire.HttpContestant;
import dev.millrace.bench.wire.Post;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import dev.millrace.memory.NativeMemory;
import dev.millrace.server.MillraceServer;
import dev.millrace.server.ServerConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Both servers and what measures them, without `wrk`.
class HttpBenchTest {
    private static final Effort TINY = new Effort("tiny", 1, 0, 1, 1, 1, 4, 1, 1, 1);
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    private static final String PATH = "/v2/models/" + BenchModels.MLP.name() + "/infer";
    private static final String OUTPUT = """
        Running 2s test @ http://127.0.0.1:8000/
          1 threads and 32 connections
          Thread Stats   Avg      Stdev     Max   +/- Stdev
            Latency   605.00us    1.00ms  20.00ms   99.00%
            Req/Sec    55.00k     1.00k   56.00k    60.00%
          Latency Distribution
             50%  504.50us
             75%  600.00us
             90%  700.00us
             99%    1.25ms
          110000 requests in 2.00s, 20.00MB read
        Requests/sec:  54999.25
        Transfer/sec:     10.00MB
        """;

    private static final byte[] ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n{\"shape\":[1,1],\"data\":[7.5]}"
            .getBytes(StandardCharsets.US_ASCII);

    @TempDir
    Path temp;

    @Test
    void shouldLetTheServerThroughTheGateAndRefuseTheEcho() throws IOException {
        long before = NativeMemory.used();
        BenchModels.MLP.writeInto(temp);
        ServerConfig config = ServerConfig.of(temp).withPort(0).withEventLoops(1);
        try (HttpBench bench = new HttpBench(TINY, SILENCE, temp.resolve("log"));
                MillraceServer server = MillraceServer.start(config);
                HttpContestant client = client(server.port())) {
            assertThatCode(() -> bench.check("server", server.port())).doesNotThrowAnyException();
            client.run(0);
            byte[] answer = client.wire();
            try (EchoServer echo = EchoServer.start(client.body());
                    HttpContestant other = client(echo.port())) {
                other.run(0);
                assertThat(other.wire()).isEqualTo(answer);
                assertThat(score(other)).isEqualTo(score(client));
                assertThatThrownBy(() -> bench.check("echo", echo.port()))
                        .isInstanceOf(Gate.Refusal.class)
                        .hasMessageContaining("echo, batch 1: row 1");
            }
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private static HttpContestant client(int port) throws IOException {
        try (Fixture fixture = Fixture.open(BenchModels.MLP)) {
            float[] row = fixture.examples().floats()[0];
            return new HttpContestant(port, List.of(Post.json(PATH, row, row.length)));
        }
    }

    private static float score(HttpContestant client) {
        return ((float[]) client.answers().getFirst().array())[0];
    }

    @Test
    void shouldEchoPipelinedRequestsInPieces() throws IOException {
        String post = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        String last = "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        try (EchoServer echo = EchoServer.start("xyz");
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), echo.port())) {
            socket.setTcpNoDelay(true);
            for (byte octet : (post + "GET / HTTP/1.1\r\n\r\n" + post + last).getBytes(StandardCharsets.US_ASCII)) {
                socket.getOutputStream().write(octet);
            }
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

            String answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\nxyz";
            String refusal = "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n";
            assertThat(answers).isEqualTo(answer + refusal + answer + answer);
        }
    }

    @Test
    void shouldSayWhatWasAnsweredWhenItIsNoSuccess() throws IOException {
        BenchModels.MLP.writeInto(temp);
        try (MillraceServer server = MillraceServer.start(ServerConfig.of(temp).withPort(0));
                HttpContestant client = new HttpContestant(server.port(), List.of(Post.json(PATH, "{}")))) {
            assertThatThrownBy(() -> client.run(0)).hasMessageContaining("HTTP/1.1 400 Bad Request: {");
        }
    }

    @Tag("slow")
    @Test
    void shouldStartServersInProcessesOfTheirOwn() throws IOException {
        Path log = temp.resolve("log");
        Path repository = temp.resolve("models");
        BenchModels.MLP.writeInto(repository);
        try (ServerProcess echo = ServerProcess.start(log, EchoServer.class, EchoServer.argument(ANSWER));
                ServerProcess millrace = ServerProcess.startMillrace(
                        log, List.of("serve", "--model-repository=" + repository, "--http-port=0"));
                HttpContestant one = client(echo.port());
                HttpContestant other = client(millrace.port())) {
            one.run(0);
            other.run(0);
            assertThat(score(one)).isEqualTo(7.5f);
            assertThat(score(other)).isFinite();
            assertThat(echo.residentMebibytes())
                    .satisfiesAnyOf(
                            mebibytes -> assertThat(mebibytes).isNaN(),
                            mebibytes -> assertThat(mebibytes).isBetween(10.0, 10_000.0));
        }
        assertThatThrownBy(() -> ServerProcess.start(log, EchoServer.class))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ended before it was ready");
    }

    @Test
    void shouldReadWhatWrkPrints() throws IOException {
        assertThat(Wrk.parse(OUTPUT)).isEqualTo(new Wrk.Load(54999.25, 504.5, 1250));
    }

    @Test
    void shouldRefuseWhenARequestFailsUnderLoad() {
        assertThatThrownBy(() -> Wrk.parse(OUTPUT + "  Non-2xx or 3xx responses: 1\n"))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("responses: 1");
        assertThatThrownBy(() -> Wrk.parse("  Socket errors: connect 0, read 1, write 0, timeout 0\n" + OUTPUT))
                .isInstanceOf(Gate.Refusal.class);
        assertThatThrownBy(() -> Wrk.parse("unable to connect to 127.0.0.1:1 Connection refused"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Connection refused");
    }

    @Test
    void shouldReportHttpAlone() {
        Wrk.Load fast = new Wrk.Load(100_000, 300, 900);
        Wrk.Load slow = new Wrk.Load(50_000, 600, 1000);
        Wrk.Load slower = new Wrk.Load(40_000, 700, 2000);
        var loads = Map.of(32, List.of(new Both<>(fast, slow), new Both<>(fast, slower), new Both<>(fast, slow)));
        var http = new HttpBench.Findings(
                700, 150, loads, List.of(new Both<>(200.0, 600.0)), 60, new Both<>(80.0, Double.NaN));
        Results results = new Results(
                Instant.EPOCH,
                TINY,
                Machine.describe("abc"),
                Map.of(),
                Map.of(),
                Optional.empty(),
                Map.of(),
                Optional.of(http),
                List.of());

        assertThat(MarkdownReport.of(results))
                .contains("bodies of 700 bytes to the server and 150 back", "| 32 | Netty echo: the floor | 100,000 |")
                .contains(
                        "| 32 | Millrace | 50,000 (40,000–50,000) | 600 (600–700) |",
                        "| 0.50 (0.40–0.50) | 1.11 (1.11–2.22) |")
                .contains(
                        "JVM flags: --enable-native-access=ALL-UNNAMED.", "in RAM after 60 s more at 32 connections |")
                .contains("| Netty echo: the floor | 200 | 80 |", "| Millrace | 600 | unknown |")
                .doesNotContain("One row at a time", "Saturated");
        assertThat(JsonReport.of(results))
                .contains("\"requestsPerSecond\" : 40000.0", "\"millraceMillis\" : 600.0", "\"requestBytes\" : 700")
                .contains("\"flags\" : \"--enable-native-access=ALL-UNNAMED\"", "\"memorySeconds\" : 60");
    }
}
