// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.Http2Client.Answer;
import io.netty.handler.codec.http2.Http2Error;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/// Requests over HTTP/2 that do not end as usual, limits, slow clients, and servers that stop. Every server leaves no
/// native memory behind.
class Http2LifecycleTest {
    private static final String LINEAR = "/v2/models/linear/infer";
    private static final String DATA = "\"data\":[30.5,0.5]";
    /// Long enough that whatever is tested happens before.
    private static final int LONG = 400_000;

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    private static LaneStatistics lane(TestServer server, String model) {
        return server.server().runtime().statistics().stream()
                .filter(lane -> lane.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldRunWhatCameTogetherAsOneBatch() {
        try (TestServer alone = TestServer.start(config -> config.withEventLoops(1));
                Http2Client client = Http2Client.connect(alone.port())) {
            for (int i = 0; i < 16; i++) {
                client.infer(2 * i + 1, "linear", Bodies.LINEAR);
            }
            for (int i = 0; i < 16; i++) {
                assertThat(client.answer(2 * i + 1).body()).contains(DATA);
            }
            assertThat(lane(alone, "linear").batches()).isLessThan(16);
        }
    }

    @Test
    void shouldCancelWhatAClientResets() throws Exception {
        try (TestServer alone = TestServer.start();
                Http2Client client = Http2Client.connect(alone.port())) {
            client.infer(1, "slow", Bodies.slow(LONG)).infer(3, "slow", Bodies.slow(LONG));
            client.headers(5, Http2Client.head("POST", LINEAR), false)
                    .data(5, "half", false)
                    .flush();
            await(() -> lane(alone, "slow").inFlight() == 2);
            client.reset(1, 8).reset(5, 8).flush();
            await(() -> lane(alone, "slow").ended().getOrDefault(Outcome.CANCELLED, 0L) == 1);

            assertThat(client.answer(3).status()).isEqualTo(200);
            assertThat(alone.server().counters().answered(499)).isEqualTo(2);
            assertThat(alone.server().connections().getFirst().waiting()).isZero();
            assertThat(client.infer(7, "linear", Bodies.LINEAR).answer(7).body())
                    .contains(DATA);
        }
    }

    @Test
    void shouldCancelEverythingWhenAClientLeaves() throws Exception {
        try (TestServer alone = TestServer.start()) {
            try (Http2Client client = Http2Client.connect(alone.port())) {
                for (int i = 0; i < 3; i++) {
                    client.infer(2 * i + 1, "slow", Bodies.slow(LONG));
                }
                client.get(7, "/metrics").flush();
                await(() -> lane(alone, "slow").inFlight() == 3);
            }
            await(() -> lane(alone, "slow").inFlight() == 0);
            assertThat(lane(alone, "slow").ended()).containsEntry(Outcome.CANCELLED, 3L);
            await(() -> alone.server().connections().isEmpty());
        }
    }

    @Test
    void shouldRefuseStreamsBeyondTheLimit() {
        try (TestServer two = TestServer.start(config -> config.withLimit(Limit.MAX_PIPELINED, 2));
                Http2Client client = Http2Client.connect(two.port())) {
            client.infer(1, "slow", Bodies.slow(LONG))
                    .infer(3, "slow", Bodies.slow(LONG))
                    .get(5, "/v2");
            Answer third = client.answer(5);
            assertThat(third.reset()).isEqualTo(Http2Error.REFUSED_STREAM.code());
            assertThat(client.setting(3)).isEqualTo(2);
            assertThat(two.server().counters().limitedBy(Limit.MAX_PIPELINED)).isEqualTo(1);
            assertThat(client.answer(1).status()).isEqualTo(200);
            assertThat(client.answer(3).status()).isEqualTo(200);
            assertThat(client.get(7, "/v2").answer(7).status()).isEqualTo(200);
        }
    }

    @Test
    void shouldTellWhoeverComesWhenThereAreEnoughConnections() {
        try (TestServer one = TestServer.start(config -> config.withLimit(Limit.MAX_CONNECTIONS, 1));
                Http2Client first = Http2Client.connect(one.port())) {
            assertThat(first.get(1, "/v2").answer(1).status()).isEqualTo(200);
            try (Http2Client second = Http2Client.connect(one.port())) {
                Answer answer = second.infer(1, "linear", Bodies.LINEAR).answer(1);
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.headers()).containsEntry("retry-after", "1");
                second.awaitClose();
                assertThat(second.errorOfGoAway()).isZero();
                assertThat(second.lastOfGoAway()).isEqualTo(1);
            }
            try (Http2Client third = Http2Client.connect(one.port())) {
                assertThat(third.get(1, "/v2/health/live").answer(1).status()).isEqualTo(200);
                third.awaitClose();
            }
            assertThat(one.server().counters().limitedBy(Limit.MAX_CONNECTIONS)).isEqualTo(1);
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitInTheQueue() {
        RuntimeConfig small = RuntimeConfig.DEFAULT.withAgents(1).withQueueRows(2);
        try (TestServer alone = TestServer.start(config -> config.withRuntime(small));
                Http2Client client = Http2Client.connect(alone.port())) {
            for (int i = 0; i < 10; i++) {
                client.infer(2 * i + 1, "slow", Bodies.slow(LONG));
            }
            int refused = 0;
            for (int i = 0; i < 10; i++) {
                Answer answer = client.answer(2 * i + 1);
                if (answer.status() == 429) {
                    refused++;
                    assertThat(answer.headers()).containsEntry("retry-after", "1");
                }
            }
            assertThat(refused).isBetween(6, 8);
        }
    }

    @Test
    void shouldGoOnServingWhileItIsAboutToStop() throws Exception {
        try (TestServer server = TestServer.start();
                Http2Client client = Http2Client.connect(server.port())) {
            assertThat(client.get(1, "/v2").answer(1).status()).isEqualTo(200);

            server.server().leave(Duration.ZERO);

            assertThat(client.awaitGoAway()).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.errorOfGoAway()).isZero();
            client.awaitClose();
            try (Http2Client late = Http2Client.connect(server.port())) {
                late.infer(1, "linear", Bodies.LINEAR).flush();
                assertThat(late.answer(1).body()).contains(DATA);
                assertThat(late.get(3, "/v2/health/ready").answer(3).status()).isEqualTo(503);
            }
        }
    }

    @Test
    void shouldAnswerWhatIsInFlightWhenItStops() throws Exception {
        TestServer server = TestServer.start();
        try (Http2Client client = Http2Client.connect(server.port());
                Http2Client idle = Http2Client.connect(server.port());
                Http2Client halfway = Http2Client.connect(server.port())) {
            assertThat(idle.get(1, "/v2").answer(1).status()).isEqualTo(200);
            halfway.headers(1, Http2Client.head("POST", LINEAR), false).ping(1).awaitPings(1);
            client.infer(1, "slow", Bodies.slow(LONG))
                    .infer(3, "linear", Bodies.LINEAR)
                    .flush();
            await(() -> lane(server, "slow").inFlight() > 0);

            Thread closing = Thread.ofPlatform().start(server::close);
            assertThat(client.awaitGoAway()).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.answer(1).status()).isEqualTo(200);
            assertThat(client.answer(3).body()).contains(DATA);
            idle.awaitClose();
            assertThat(idle.errorOfGoAway()).isZero();
            assertThat(idle.lastOfGoAway()).isEqualTo(1);
            client.awaitClose();
            assertThat(client.lastOfGoAway()).isEqualTo(3);

            assertThat(halfway.data(1, Bodies.LINEAR, true).answer(1).body()).contains(DATA);
            halfway.awaitClose();
            closing.join();
        }
        assertThat(NativeMemory.used()).isZero();
    }

    @Test
    void shouldCutOffWhatTakesTooLongWhenItStops() throws Exception {
        RuntimeConfig impatient = RuntimeConfig.DEFAULT.withDrainTimeout(Duration.ofMillis(50));
        TestServer server = TestServer.start(config -> config.withRuntime(impatient));
        try (Http2Client client = Http2Client.connect(server.port())) {
            client.infer(1, "slow", Bodies.slow(10_000_000_000L)).flush();
            await(() -> lane(server, "slow").inFlight() > 0);
            server.close();
            client.awaitClose();
            assertThat(client.soFar(1).status()).isZero();
        }
    }

    @Test
    void shouldLoseNoRequestWhenItStopsUnderTraffic() throws Exception {
        TestServer server = TestServer.start(config -> config.withEventLoops(2));
        AtomicInteger answered = new AtomicInteger();
        List<Thread> clients = new ArrayList<>();
        List<Throwable> problems = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(Thread.ofPlatform()
                    .uncaughtExceptionHandler((_, problem) -> problems.add(problem))
                    .start(() -> sendUntilClosed(server.port(), answered)));
        }
        await(() -> answered.get() > 2000);
        server.close();
        for (Thread client : clients) {
            client.join();
        }
        assertThat(problems).isEmpty();
    }

    /// Has requests under way all the time. Each up to the last stream that the server says it knows is answered.
    private static void sendUntilClosed(int port, AtomicInteger answered) {
        try (Http2Client client = Http2Client.connect(port)) {
            int sent = 0;
            while (client.lastOfGoAway() < 0) {
                for (int i = 0; i < 16; i++) {
                    client.infer(2 * sent++ + 1, "linear", Bodies.LINEAR);
                }
                client.flush();
                while (!client.soFar(2 * sent - 1).isEnded() && client.read()) {}
                answered.addAndGet(16);
            }
            client.awaitClose();
            assertThat(client.errorOfGoAway()).isZero();
            for (int stream = 1; stream < 2 * sent; stream += 2) {
                boolean known = stream <= client.lastOfGoAway();
                assertThat(client.soFar(stream).status())
                        .as("stream %d", stream)
                        .isEqualTo(known ? 200 : 0);
            }
        }
    }

    @Test
    void shouldServeAPoolOfClientsWhileOthersLeave() throws Exception {
        try (TestServer server = TestServer.start(config -> config.withEventLoops(2));
                HttpClient client = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_2)
                        .build()) {
            for (int round = 0; round < 20; round++) {
                try (Http2Client other = Http2Client.connect(server.port())) {
                    for (int i = 0; i < 20; i++) {
                        other.infer(
                                2 * i + 1,
                                i % 2 == 0 ? "slow" : "linear",
                                i % 2 == 0 ? Bodies.slow(LONG) : Bodies.LINEAR);
                    }
                    other.flush();
                    HttpResponse<String> response = client.send(
                            server.request(LINEAR)
                                    .POST(BodyPublishers.ofString(Bodies.LINEAR))
                                    .build(),
                            BodyHandlers.ofString());
                    assertThat(response.body()).contains(DATA);
                }
            }
            await(() -> server.server().runtime().statistics().stream().allMatch(lane -> lane.inFlight() == 0));
        }
    }
}
