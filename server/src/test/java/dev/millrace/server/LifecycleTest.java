// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.RawClient.Answer;
import dev.millrace.server.TestServer.Reply;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Requests that do not end as usual, and servers that stop. Every server leaves no native memory behind.
class LifecycleTest {
    private static final String LINEAR = RawClient.post("/v2/models/linear/infer", Bodies.LINEAR);
    /// Long enough that whatever is tested happens before.
    private static final int LONG = 400_000;

    private static String slow(long rounds) {
        return slow(rounds, "");
    }

    private static String slow(long rounds, String headers) {
        return RawClient.post("/v2/models/slow/infer", Bodies.slow(rounds), headers);
    }

    private static LaneStatistics lane(TestServer server, String model) {
        return server.server().runtime().statistics().stream()
                .filter(lane -> lane.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    @Test
    void shouldCancelWhatADisconnectedClientAskedFor() throws Exception {
        try (TestServer server = TestServer.start()) {
            try (RawClient client = server.connect()) {
                client.send(slow(LONG) + slow(LONG) + slow(LONG) + LINEAR);
                await(() -> lane(server, "slow").inFlight() == 3);
            }
            await(() -> lane(server, "slow").inFlight() == 0);
            assertThat(lane(server, "slow").ended()).containsEntry(Outcome.CANCELLED, 3L);
            assertThat(server.get("/v2/health/live").status()).isEqualTo(200);
        }
    }

    @Test
    void shouldForgetAClientThatLeavesInTheMiddleOfARequest() {
        try (TestServer server = TestServer.start()) {
            for (int length = 1; length < LINEAR.length(); length += 7) {
                try (RawClient client = server.connect()) {
                    client.send(LINEAR.substring(0, length));
                }
            }
            assertThat(server.get("/v2/health/live").status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldAnswerInTimeOrNotAtAll(boolean header) {
        try (TestServer server = TestServer.start();
                RawClient client = server.connect()) {
            String request = slow(LONG, "X-Millrace-Timeout-Us: 2000\r\n");
            if (!header) {
                request = RawClient.post(
                        "/v2/models/slow/infer",
                        Bodies.with("'parameters':{'timeout':2000}", Bodies.slow(LONG)),
                        "X-Millrace-Timeout-Us: 9000000\r\n");
            }
            Answer answer = client.send(request).read();
            assertThat(answer.status()).isEqualTo(504);
            assertThat(answer.body()).contains("deadline", "slow");
            // The next request on the same call has no deadline.
            assertThat(client.send(slow(10)).read().status()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitInTheQueue() {
        RuntimeConfig small = RuntimeConfig.DEFAULT.withAgents(1).withQueueRows(2);
        try (TestServer server = TestServer.start(config -> config.withRuntime(small));
                RawClient client = server.connect()) {
            client.send(slow(LONG).repeat(10));
            int refused = 0;
            for (int i = 0; i < 10; i++) {
                Answer answer = client.read();
                if (answer.status() == 429) {
                    refused++;
                    assertThat(answer.headers()).containsEntry("retry-after", "1");
                    assertThat(answer.body()).contains("queue", "full");
                } else {
                    assertThat(answer.status()).isEqualTo(200);
                }
            }
            assertThat(refused).isBetween(6, 8);
        }
    }

    @Test
    void shouldGoOnServingWhileItIsAboutToStop() throws Exception {
        try (TestServer server = TestServer.start();
                RawClient known = server.connect();
                RawClient pipelining = server.connect()) {
            assertThat(known.send(LINEAR).read().headers()).doesNotContainKey("connection");

            server.server().leave(Duration.ZERO);

            assertThat(server.get("/v2/health/ready").status()).isEqualTo(503);
            assertThat(server.get("/ping").status()).isEqualTo(503);
            assertThat(server.get("/v2/models/linear/ready").status()).isEqualTo(503);
            assertThat(server.get("/v2/health/live").status()).isEqualTo(200);
            Answer answer = known.send(LINEAR).read();
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.headers()).containsEntry("connection", "close");
            assertThat(known.isClosedByServer()).isTrue();
            pipelining.send(LINEAR + LINEAR + LINEAR);
            for (int i = 0; i < 3; i++) {
                assertThat(pipelining.read().status()).isEqualTo(200);
            }
            assertThat(pipelining.isClosedByServer()).isTrue();
            try (RawClient late = server.connect()) {
                assertThat(late.send(LINEAR).read().status()).isEqualTo(200);
                assertThat(late.isClosedByServer()).isTrue();
            }
        }
    }

    @Test
    void shouldAnswerWhatIsInFlightWhenItStops() throws Exception {
        TestServer server = TestServer.start();
        try (RawClient client = server.connect();
                RawClient idle = server.connect();
                RawClient halfway = server.connect()) {
            assertThat(idle.send(LINEAR).read().status()).isEqualTo(200);
            halfway.send(LINEAR.substring(0, 100));
            client.send(slow(LONG) + slow(10) + LINEAR);
            await(() -> lane(server, "slow").inFlight() > 0);

            Thread closing = Thread.ofPlatform().start(server::close);
            assertThat(client.read().status()).isEqualTo(200);
            assertThat(client.read().status()).isEqualTo(200);
            Answer last = client.read();
            assertThat(last.status()).isEqualTo(200);
            assertThat(last.headers()).containsEntry("connection", "close");
            assertThat(client.isClosedByServer()).isTrue();
            assertThat(idle.isClosedByServer()).isTrue();
            assertThat(halfway.send(LINEAR.substring(100)).read().headers()).containsEntry("connection", "close");
            closing.join();
        }
        assertThatThrownBy(server::connect).isInstanceOf(UncheckedIOException.class);
        assertThat(NativeMemory.used()).isZero();
    }

    @Test
    void shouldNotBeReadyWhenItStops() throws Exception {
        TestServer server = TestServer.start(config -> config.withEventLoops(1));
        try (RawClient client = server.connect();
                RawClient prober = server.connect()) {
            assertThat(prober.send(RawClient.get("/v2/health/live")).read().status())
                    .isEqualTo(200);
            client.send(slow(LONG));
            await(() -> lane(server, "slow").inFlight() > 0);
            // A request that has begun keeps the connection open until its end.
            prober.send("GET /v2/health/ready HTTP/1.1\r\nContent-Length: 2\r\n\r\n");

            Thread closing = Thread.ofPlatform().start(server::close);
            assertThat(client.read().headers()).containsEntry("connection", "close");
            Answer answer = prober.send("{}").read();
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.body()).isEqualTo("{\"ready\":false}");
            closing.join();
        }
    }

    @Test
    void shouldCutOffWhatTakesTooLongWhenItStops() throws Exception {
        RuntimeConfig impatient = RuntimeConfig.DEFAULT.withDrainTimeout(Duration.ofMillis(50));
        TestServer server = TestServer.start(config -> config.withRuntime(impatient));
        try (RawClient client = server.connect()) {
            client.send(slow(10_000_000_000L));
            await(() -> lane(server, "slow").inFlight() > 0);
            server.close();
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldLoseNoRequestWhenItStopsUnderTraffic() throws Exception {
        TestServer server = TestServer.start(config -> config.withEventLoops(2));
        AtomicInteger answered = new AtomicInteger();
        try (ExecutorService clients = Executors.newCachedThreadPool()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                running.add(clients.submit(() -> sendUntilClosed(server, answered)));
            }
            await(() -> answered.get() > 2000);
            server.close();
            for (Future<?> client : running) {
                client.get();
            }
        }
    }

    /// Sends one request after another until an answer says that it was the last.
    private static void sendUntilClosed(TestServer server, AtomicInteger answered) {
        try (RawClient client = server.connect()) {
            boolean open = true;
            while (open) {
                Answer answer = client.send(LINEAR).read();
                assertThat(answer.status()).isEqualTo(200);
                answered.incrementAndGet();
                open = !"close".equals(answer.headers().get("connection"));
            }
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldStopOnceHoweverOftenItIsAsked() {
        try (TestServer server = TestServer.start()) {
            server.server().close();
            server.server().close();
        }
    }

    @Test
    void shouldSayThatAPortIsTaken() {
        try (TestServer server = TestServer.start()) {
            assertThatThrownBy(() -> MillraceServer.start(
                            ServerConfig.of(TestServer.models()).withPort(server.port())))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1:" + server.port())
                    .hasMessageContaining("in use");
        }
    }

    @Test
    void shouldSayThatARepositoryIsMissing() {
        assertThatThrownBy(() -> MillraceServer.start(
                        ServerConfig.of(Path.of("no-such-folder")).withPort(0)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("no-such-folder");
        assertThat(NativeMemory.used()).isZero();
    }

    @Test
    void shouldServeManyClientsAtOnce() throws Exception {
        try (TestServer server = TestServer.start(config -> config.withEventLoops(2));
                ExecutorService clients = Executors.newFixedThreadPool(8)) {
            List<Future<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                String body = Bodies.request(Bodies.input("x", "[1,4]", "FP32", "[" + i + ",0,0,0]"));
                replies.add(clients.submit(() -> server.infer("linear", body)));
            }
            for (int i = 0; i < 500; i++) {
                assertThat(replies.get(i).get().data()).isEqualTo((i + 0.5f) + "," + (-i - 0.5f));
            }
            LaneStatistics lane = lane(server, "linear");
            assertThat(lane.ended()).containsEntry(Outcome.OK, 500L);
            assertThat(lane.inFlight()).isZero();
        }
    }
}
