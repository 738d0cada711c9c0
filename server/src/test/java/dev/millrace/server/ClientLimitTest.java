// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.server.RawClient.Answer;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Rows per second of a client, over real sockets, by a clock that only goes when a test says so.
class ClientLimitTest {
    private static final String PATH = "/v2/models/linear/infer";

    private final FakeClock clock = new FakeClock();
    private final TestServer server = TestServer.start(
            config -> config.withEventLoops(2)
                    .withLimit(Limit.CLIENT_LIMIT, 2)
                    .withLimit(Limit.CLIENT_BURST, 6)
                    .withClientKey("X-Api-Key"),
            clock);

    @AfterEach
    void stop() {
        server.close();
    }

    private static String rows(int count, String key) {
        String row = "1,2,3,4";
        String data = "["
                + String.join(",", IntStream.range(0, count).mapToObj(_ -> row).toList()) + "]";
        return RawClient.post(
                PATH,
                Bodies.request(Bodies.input("x", "[" + count + ",4]", "FP32", data)),
                key.isEmpty() ? "" : "x-api-key: " + key + "\r\n");
    }

    private int status(String key, int rows) {
        try (RawClient client = server.connect()) {
            return client.send(rows(rows, key)).read().status();
        }
    }

    @Test
    void shouldRefuseRowsBeyondTheLimitAndSayWhenThereAreMore() {
        try (RawClient client = server.connect()) {
            assertThat(client.send(rows(5, "a")).read().status()).isEqualTo(200);
            Answer answer = client.send(rows(4, "a")).read();
            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.headers()).containsEntry("retry-after", "2");
            assertThat(JsonTree.parse(answer.body()).get("error").text())
                    .isEqualTo("this client has no 4 rows left, at most 2 per second are allowed (--client-limit);"
                            + " there will be in 1500 ms");
            assertThat(client.send(rows(1, "a")).read().status()).isEqualTo(200);
            assertThat(client.send(rows(1, "a")).read().status()).isEqualTo(429);
            clock.advance(Duration.ofMillis(499));
            assertThat(client.send(rows(1, "a")).read().status()).isEqualTo(429);
            clock.advance(Duration.ofMillis(1));
            assertThat(client.send(rows(1, "a")).read().status()).isEqualTo(200);
        }
        LaneStatistics lane = server.server().runtime().statistics().stream()
                .filter(one -> one.model().equals("linear"))
                .findFirst()
                .orElseThrow();
        assertThat(lane.rows()).isEqualTo(7);
        assertThat(lane.accepted()).isEqualTo(3);
        assertThat(server.get("/metrics").body())
                .contains(
                        "millrace_http_limited_total{limit=\"client_limit\"} 3.0\n",
                        "millrace_http_requests_total{status=\"429\"} 3.0\n",
                        "millrace_http_clients 1.0\n");
    }

    /// Whatever loop a connection is on, and whatever head is recognised without being read again.
    @Test
    void shouldCountAClientOverAllItsConnections() {
        for (int i = 0; i < 6; i++) {
            assertThat(status("a", 1)).isEqualTo(200);
        }
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 6; i++) {
                assertThat(client.send(rows(1, "a")).read().status()).isEqualTo(429);
            }
            for (int i = 0; i < 6; i++) {
                assertThat(client.send(rows(1, "b")).read().status()).isEqualTo(200);
            }
            assertThat(client.send(rows(1, "b")).read().status()).isEqualTo(429);
        }
    }

    @Test
    void shouldGoByTheAddressWhenThereIsNoKey() {
        assertThat(status("", 6)).isEqualTo(200);
        assertThat(status("", 1)).isEqualTo(429);
        assertThat(status("127.0.0.1", 6)).isEqualTo(200);
    }

    @Test
    void shouldSayThatSoManyRowsNeverFit() {
        try (RawClient client = server.connect()) {
            Answer answer = client.send(rows(7, "a")).read();
            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.body()).contains("a request of 7 rows, at most 6 are allowed (--client-burst)");
            assertThat(client.send(rows(6, "a")).read().status()).isEqualTo(200);
        }
    }

    @Test
    void shouldOnlyCountInference() {
        assertThat(status("", 6)).isEqualTo(200);
        for (int i = 0; i < 10; i++) {
            assertThat(server.get("/v2/models/linear").status()).isEqualTo(200);
            assertThat(server.get("/metrics").status()).isEqualTo(200);
        }
    }

    /// A request that takes no rows of a model costs one of its client's.
    @Test
    void shouldCountARequestWithoutRowsAsOne() {
        String scalar =
                Bodies.request(Bodies.input("x", "[1]", "FP32", "[1]"), Bodies.input("factor", "[]", "FP32", "[1]"));
        String slow = Bodies.slow(1);
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(RawClient.post("/v2/models/scalar/infer", scalar))
                                .read()
                                .status())
                        .isEqualTo(200);
                assertThat(client.send(RawClient.post("/v2/models/slow/infer", slow))
                                .read()
                                .status())
                        .isEqualTo(200);
            }
            assertThat(client.send(RawClient.post("/v2/models/slow/infer", slow))
                            .read()
                            .status())
                    .isEqualTo(429);
        }
    }
}
