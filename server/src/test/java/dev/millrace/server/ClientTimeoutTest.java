// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.runtime.Outcome;
import dev.millrace.server.RawClient.Answer;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Clients that take too long, over real sockets, by a clock that only goes when a test says so.
class ClientTimeoutTest {
    private static final String LINEAR = RawClient.post("/v2/models/linear/infer", Bodies.LINEAR);

    private final FakeClock clock = new FakeClock();
    private final TestServer server = TestServer.start(
            config -> config.withLimit(Limit.HEAD_TIMEOUT, 10_000)
                    .withLimit(Limit.BODY_TIMEOUT, 20_000)
                    .withLimit(Limit.IDLE_TIMEOUT, 60_000),
            clock);

    @AfterEach
    void stop() {
        server.close();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    /// Waits until the server has seen that its only connection has to do this.
    private void awaitAwaited(Limit limit) throws InterruptedException {
        await(() -> {
            server.server().lookAtConnections();
            List<Connection> open = server.server().connections();
            return open.size() == 1 && open.getFirst().watch().awaited() == limit;
        });
    }

    private void pass(int seconds) {
        clock.advance(Duration.ofSeconds(seconds));
        server.server().lookAtConnections();
    }

    private long counted(Limit limit) {
        return server.server().counters().limitedBy(limit);
    }

    @Test
    void shouldRefuseAHeadThatTrickles() throws Exception {
        try (RawClient client = server.connect()) {
            client.send("POST /v2");
            awaitAwaited(Limit.HEAD_TIMEOUT);
            for (int second = 0; second < 10; second++) {
                client.send("x");
                pass(1);
            }
            assertThat(counted(Limit.HEAD_TIMEOUT)).isZero();
            pass(1);

            Answer answer = client.read();
            assertThat(answer.status()).isEqualTo(408);
            assertThat(answer.headers()).containsEntry("connection", "close");
            assertThat(JsonTree.parse(answer.body()).get("error").text())
                    .isEqualTo("the head of the request did not come within 10 s (--head-timeout)");
            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(counted(Limit.HEAD_TIMEOUT)).isEqualTo(1);
        assertThat(server.get("/metrics").body())
                .contains(
                        "millrace_http_limited_total{limit=\"head_timeout\"} 1.0\n",
                        "millrace_http_requests_total{status=\"408\"} 1.0\n");
    }

    @Test
    void shouldRefuseABodyThatDoesNotCome() throws Exception {
        try (RawClient client = server.connect()) {
            client.send(LINEAR + LINEAR.substring(0, LINEAR.length() - 1));
            awaitAwaited(Limit.BODY_TIMEOUT);
            pass(20);
            assertThat(counted(Limit.BODY_TIMEOUT)).isZero();
            pass(1);

            assertThat(client.read().status()).isEqualTo(200);
            Answer answer = client.read();
            assertThat(answer.status()).isEqualTo(408);
            assertThat(answer.body()).contains("body", "20 s", "--body-timeout");
            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(counted(Limit.BODY_TIMEOUT)).isEqualTo(1);
    }

    @Test
    void shouldTakeABodyThatComesFastEnough() throws Exception {
        // Large enough for ten more seconds at the least rate.
        String request = RawClient.post("/v2/models/linear/infer", Bodies.LINEAR + " ".repeat(50_000));
        try (RawClient client = server.connect()) {
            client.send(request.substring(0, 200));
            awaitAwaited(Limit.BODY_TIMEOUT);
            client.send(request.substring(200, 45_000));
            await(() -> server.server().connections().getFirst().receivedBytes() > 44_000);
            pass(29);
            assertThat(counted(Limit.BODY_TIMEOUT)).isZero();
            assertThat(client.send(request.substring(45_000)).read().status()).isEqualTo(200);
        }
    }

    @Test
    void shouldEndARequestWhoseAnswerIsOnItsWayAlready() throws Exception {
        try (RawClient client = server.connect()) {
            client.send("POST /nothing HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc");
            awaitAwaited(Limit.BODY_TIMEOUT);
            pass(21);

            assertThat(client.read().status()).isEqualTo(408);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldCloseAnIdleConnectionWithoutAWord() throws Exception {
        try (RawClient client = server.connect()) {
            awaitAwaited(Limit.IDLE_TIMEOUT);
            for (int i = 0; i < 5; i++) {
                pass(50);
                assertThat(client.send(LINEAR).read().status()).isEqualTo(200);
                server.server().lookAtConnections();
            }
            assertThat(counted(Limit.IDLE_TIMEOUT)).isZero();
            pass(61);

            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(counted(Limit.IDLE_TIMEOUT)).isEqualTo(1);
    }

    @Test
    void shouldLetAClientWaitForASlowModel() throws Exception {
        try (RawClient client = server.connect()) {
            client.send(RawClient.post("/v2/models/slow/infer", Bodies.slow(200_000)));
            await(() -> server.server().runtime().statistics().stream().anyMatch(lane -> lane.inFlight() > 0));
            pass(0);
            pass(100_000);

            assertThat(client.read().status()).isEqualTo(200);
        }
        for (Limit limit : Limit.values()) {
            assertThat(counted(limit)).as(limit.name()).isZero();
        }
        assertThat(server.server().runtime().statistics().stream()
                        .mapToLong(lane -> lane.ended().getOrDefault(Outcome.OK, 0L))
                        .sum())
                .isEqualTo(1);
    }
}
