// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.server.Http2Client.Answer;
import io.netty.handler.codec.http2.Http2Error;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Clients of HTTP/2 that are slow, or give no window: what they hold is bounded, others on the same connection go on,
/// and in the end it comes back. Over real sockets, by a clock that only goes when a test says so.
class Http2FlowTest {
    private static final String LINEAR = "/v2/models/linear/infer";
    private static final String DATA = "\"data\":[30.5,0.5]";
    /// About 100 KB, whose answer has about 200 KB.
    private static final String LARGE =
            Bodies.request(Bodies.input("x", "[1,1,25000]", "FP32", "[0.3333333" + ",3e5".repeat(24_999) + "]"));

    private final FakeClock clock = new FakeClock();
    private TestServer server;

    private void start(UnaryOperator<ServerConfig> change) {
        server = TestServer.start(config -> change.apply(config.withEventLoops(1)), clock);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    private LaneStatistics lane(String model) {
        return server.server().runtime().statistics().stream()
                .filter(lane -> lane.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    private Connection connection() {
        return server.server().connections().getFirst();
    }

    private void pass(int seconds) {
        clock.advance(Duration.ofSeconds(seconds));
        server.server().lookAtConnections();
    }

    private long counted(Limit limit) {
        return server.server().counters().limitedBy(limit);
    }

    @Test
    void shouldSendAsMuchAsTheWindowAllows() {
        start(config -> config);
        try (Http2Client client = Http2Client.connect(server.port(), 10_000, 0)) {
            client.infer(1, "nobatch", LARGE).infer(3, "linear", Bodies.LINEAR);
            // An answer that fits overtakes one that does not.
            assertThat(client.answer(3).body()).contains(DATA);
            client.ping(1).awaitPings(1);
            Answer large = client.soFar(1);
            while (large.bytes() < 10_000) {
                client.read();
            }
            client.window(1, 777).flush();
            while (large.bytes() < 10_777) {
                client.read();
            }
            client.ping(2).awaitPings(2);
            assertThat(large.bytes()).isEqualTo(10_777);
            assertThat(large.isEnded()).isFalse();
            client.window(1, 1 << 20);
            assertThat(client.answer(1).bytes())
                    .isEqualTo(Integer.parseInt(large.headers().get("content-length")));
            assertThat(JsonTree.parse(large.body()).get("model_name").text()).isEqualTo("nobatch");
        }
    }

    @Test
    void shouldResetAStreamWhoseAnswerIsNotWanted() throws Exception {
        start(config -> config.withLimit(Limit.WRITE_TIMEOUT, 60_000));
        try (Http2Client client = Http2Client.connect(server.port(), 0, 0)) {
            client.infer(1, "linear", Bodies.LINEAR).ping(1).awaitPings(1);
            await(() -> client.ping(2).flush() != null && lane("linear").inFlight() == 0);
            while (client.soFar(1).status() == 0) {
                client.read();
            }
            pass(0);
            pass(60);
            assertThat(counted(Limit.WRITE_TIMEOUT)).isZero();
            pass(1);

            assertThat(client.answer(1).reset()).isEqualTo(Http2Error.CANCEL.code());
            assertThat(counted(Limit.WRITE_TIMEOUT)).isEqualTo(1);
            // The connection is as good as before.
            client.infer(3, "linear", Bodies.LINEAR).window(3, 1000);
            assertThat(client.answer(3).body()).contains(DATA);
        }
    }

    /// More answers than the kernel takes for a client that never reads.
    @Test
    void shouldCloseAConnectionThatTakesNothing() throws Exception {
        start(config -> config.withLimit(Limit.WRITE_TIMEOUT, 60_000).withLimit(Limit.MAX_PIPELINED, 1000));
        try (Http2Client client = Http2Client.connect(server.port(), 1 << 30, 4096)) {
            for (int i = 0; i < 1000; i++) {
                client.get(2 * i + 1, "/metrics");
            }
            client.flush();
            await(() -> !server.server().connections().isEmpty());
            await(() -> !connection().isReading());
            assertThat(connection().waiting()).isPositive();
            // Others are served.
            assertThat(server.infer("linear", Bodies.LINEAR).status()).isEqualTo(200);
            assertThat(connection().pendingBytes()).isLessThan(1 << 20);

            pass(0);
            pass(60);
            assertThat(counted(Limit.WRITE_TIMEOUT)).isZero();
            // As long as what the kernel has taken is worth.
            await(() -> {
                pass(10);
                return counted(Limit.WRITE_TIMEOUT) == 1;
            });
        }
        await(() -> server.server().counters().connections() <= 1);
    }

    @Test
    void shouldGiveNoNewWindowWhileMuchWaits() throws Exception {
        start(config -> config);
        byte[] piece = new byte[16_000];
        java.util.Arrays.fill(piece, (byte) ' ');
        try (Http2Client client = Http2Client.connect(server.port(), 0, 0)) {
            // Answers that the client does not take: their bodies, of more than a megabyte, count.
            for (int i = 0; i < 6; i++) {
                client.infer(2 * i + 1, "linear", Bodies.LINEAR + " ".repeat(200_000));
                client.ping(i).awaitPings(i + 1);
                int stream = 2 * i + 1;
                while (client.soFar(stream).status() == 0) {
                    client.read();
                }
            }
            int before = client.windowOf(0);
            client.headers(101, Http2Client.head("POST", LINEAR), false);
            while (client.windowLeft() >= piece.length) {
                client.data(101, piece, false);
            }
            client.ping(7).awaitPings(7);
            assertThat(client.windowOf(0)).isEqualTo(before);

            for (int i = 0; i < 6; i++) {
                client.window(2 * i + 1, 100_000);
                assertThat(client.answer(2 * i + 1).body()).contains(DATA);
            }
            while (client.windowLeft() < 1 << 19) {
                client.read();
            }
            client.window(101, 100_000);
            assertThat(client.data(101, Bodies.LINEAR, true).answer(101).body()).contains(DATA);
        }
    }

    @Test
    void shouldRefuseABodyThatDoesNotCome() throws Exception {
        start(config -> config.withLimit(Limit.BODY_TIMEOUT, 20_000));
        try (Http2Client client = Http2Client.connect(server.port())) {
            client.headers(1, Http2Client.head("POST", LINEAR), false).data(1, "{", false);
            client.infer(3, "linear", Bodies.LINEAR);
            assertThat(client.answer(3).body()).contains(DATA);
            pass(0);
            pass(20);
            assertThat(counted(Limit.BODY_TIMEOUT)).isZero();
            pass(1);

            assertThat(client.answer(1).status()).isEqualTo(408);
            assertThat(client.soFar(1).body()).contains("--body-timeout");
            assertThat(client.infer(5, "linear", Bodies.LINEAR).answer(5).body())
                    .contains(DATA);
        }
        assertThat(counted(Limit.BODY_TIMEOUT)).isEqualTo(1);
    }

    @Test
    void shouldCloseConnectionsThatAreIdleOrNeverBegin() throws Exception {
        start(config -> config.withLimit(Limit.HEAD_TIMEOUT, 10_000).withLimit(Limit.IDLE_TIMEOUT, 60_000));
        try (Http2Client half = Http2Client.silent(server.port(), 0);
                Http2Client frame = Http2Client.connect(server.port());
                Http2Client idle = Http2Client.connect(server.port())) {
            half.bytes(Http2Client.PREFACE).flush();
            frame.ping(1).awaitPings(1);
            frame.bytes(new byte[] {0, 0, 8, 6, 0, 0, 0, 0, 0, 1}).flush();
            assertThat(idle.get(1, "/v2").answer(1).status()).isEqualTo(200);
            await(() -> server.server().connections().stream()
                            .filter(Http2Connection.class::isInstance)
                            .count()
                    == 3);
            await(() -> {
                server.server().lookAtConnections();
                return server.server().connections().stream()
                                .filter(open -> open.watch().awaited() == Limit.HEAD_TIMEOUT)
                                .count()
                        == 2;
            });
            pass(10);
            assertThat(counted(Limit.HEAD_TIMEOUT)).isZero();
            pass(1);
            half.awaitClose();
            frame.awaitClose();
            assertThat(counted(Limit.HEAD_TIMEOUT)).isEqualTo(2);
            assertThat(counted(Limit.IDLE_TIMEOUT)).isZero();
            pass(50);
            idle.awaitClose();
            assertThat(idle.errorOfGoAway()).isZero();
            assertThat(counted(Limit.IDLE_TIMEOUT)).isEqualTo(1);
        }
    }

    @Test
    void shouldRefuseBodiesThatTogetherTakeTooMuch() {
        start(config -> config.withLimit(Limit.MAX_RECEIVING_BYTES, 100_000));
        String much = " ".repeat(15_000);
        try (Http2Client client = Http2Client.connect(server.port())) {
            for (int i = 0; i < 10; i++) {
                client.headers(2 * i + 1, Http2Client.head("POST", LINEAR), false)
                        .data(2 * i + 1, much, false);
            }
            assertThat(client.answer(19).status()).isEqualTo(503);
            assertThat(client.soFar(19).headers()).containsEntry("retry-after", "1");
            assertThat(client.soFar(19).body()).contains("--max-receiving-bytes");
            assertThat(client.data(1, Bodies.LINEAR, true).answer(1).body()).contains(DATA);
        }
    }
}
