// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.RawClient.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/// What is too much: refused with the limit and what came, counted, and nothing stays behind.
class HttpLimitsTest {
    private static final String PATH = "/v2/models/linear/infer";
    private static final String LINEAR = RawClient.post(PATH, Bodies.LINEAR);

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(1);
        }
    }

    /// A limit with a small value, a request that just keeps it and one that does not.
    private record Sample(long value, String within, String over, int status, String came) {
        static Sample of(Limit limit) {
            return switch (limit) {
                case MAX_LINE_BYTES ->
                    new Sample(100, line(100), line(101), 414, "the request line has more bytes, at most 100");
                case MAX_HEADER_BYTES ->
                    new Sample(
                            200,
                            RawClient.post(PATH, Bodies.LINEAR, "X: " + "x".repeat(100) + "\r\n"),
                            RawClient.post(PATH, Bodies.LINEAR, "X: " + "x".repeat(200) + "\r\n"),
                            431,
                            "the headers have more bytes, at most 200");
                case MAX_HEADERS -> new Sample(5, headers(5), headers(6), 431, "the request has 6 headers, at most 5");
                case MAX_BODY_BYTES ->
                    new Sample(
                            100,
                            RawClient.post(PATH, Bodies.LINEAR + " ".repeat(100 - Bodies.LINEAR.length())),
                            RawClient.post(PATH, Bodies.LINEAR + " ".repeat(101 - Bodies.LINEAR.length())),
                            413,
                            "a body of 101 bytes, at most 100");
                case MAX_JSON_DEPTH -> new Sample(8, nested(7), nested(8), 400, "nested deeper than the depth of 8");
                case MAX_ELEMENTS ->
                    new Sample(
                            8,
                            RawClient.post("/v2/models/two_in/infer", two(2, 2)),
                            RawClient.post("/v2/models/two_in/infer", two(3, 2)),
                            413,
                            "input 'b' has shape [2, 2], 4 elements and 6 of inputs before, at most 8");
                case MAX_PARAMETERS ->
                    new Sample(3, parameters(3), parameters(4), 413, "'parameters' has 4 and more, at most 3");
                case MAX_ID_BYTES ->
                    new Sample(
                            8,
                            RawClient.post(PATH, Bodies.with("'id':'ääää'", Bodies.LINEAR)),
                            RawClient.post(PATH, Bodies.with("'id':'ääääa'", Bodies.LINEAR)),
                            413,
                            "the id has 9 bytes, at most 8");
                default -> throw new IllegalStateException(limit.name());
            };
        }

        private static String line(int length) {
            String line = "GET /v2? HTTP/1.1";
            return line.replace("?", "?" + "x".repeat(length - line.length())) + "\r\nHost: test\r\n\r\n";
        }

        /// Host and Content-Length are two of them.
        private static String headers(int count) {
            return RawClient.post(PATH, Bodies.LINEAR, "X-Header: 1\r\n".repeat(count - 2));
        }

        private static String nested(int depth) {
            return RawClient.post(PATH, Bodies.with("'other':" + "[".repeat(depth) + "]".repeat(depth), Bodies.LINEAR));
        }

        private static String two(int rowsOfA, int rowsOfB) {
            return Bodies.request(two("a", rowsOfA), two("b", rowsOfB));
        }

        private static String two(String name, int rows) {
            return Bodies.input(name, "[" + rows + ",2]", "FP32", "[1" + ",1".repeat(2 * rows - 1) + "]");
        }

        private static String parameters(int count) {
            StringBuilder parameters = new StringBuilder("'timeout':9000000");
            for (int i = 1; i < count; i++) {
                parameters.append(",'p").append(i).append("':1");
            }
            return RawClient.post(PATH, Bodies.with("'parameters':{" + parameters + "}", Bodies.LINEAR));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Limit.class,
            mode = Mode.INCLUDE,
            names = {
                "MAX_LINE_BYTES",
                "MAX_HEADER_BYTES",
                "MAX_HEADERS",
                "MAX_BODY_BYTES",
                "MAX_JSON_DEPTH",
                "MAX_ELEMENTS",
                "MAX_PARAMETERS",
                "MAX_ID_BYTES"
            })
    void shouldTakeWhatIsAllowedAndNoMore(Limit limit) {
        Sample sample = Sample.of(limit);
        try (TestServer server = TestServer.start(config -> config.withLimit(limit, sample.value()))) {
            try (RawClient client = server.connect()) {
                assertThat(client.send(sample.within()).read().status()).isEqualTo(200);
                assertThat(server.server().counters().limitedBy(limit)).isZero();

                Answer answer = client.send(sample.over()).read();
                assertThat(answer.status()).as(answer.body()).isEqualTo(sample.status());
                assertThat(JsonTree.parse(answer.body()).get("error").text()).contains(sample.came());
                assertThat(server.server().counters().limitedBy(limit)).isEqualTo(1);
            }
        }
    }

    private static TestServer withTwoConnections() {
        return TestServer.start(config -> config.withLimit(Limit.MAX_CONNECTIONS, 2));
    }

    @Test
    void shouldTellWhoeverComesWhenThereAreEnoughConnections() throws Exception {
        try (TestServer server = withTwoConnections();
                RawClient first = server.connect()) {
            assertThat(first.send(LINEAR).read().status()).isEqualTo(200);
            try (RawClient second = server.connect();
                    RawClient third = server.connect()) {
                assertThat(second.send(LINEAR).read().status()).isEqualTo(200);
                Answer answer = third.send(LINEAR).read();
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.headers()).containsEntry("retry-after", "1").containsEntry("connection", "close");
                assertThat(answer.body()).contains("open connection 3, at most 2 are allowed (--max-connections)");
                assertThat(third.isClosedByServer()).isTrue();
                assertThat(second.send(LINEAR).read().status()).isEqualTo(200);
            }
            await(() -> server.server().counters().connections() == 1);
            try (RawClient fourth = server.connect()) {
                assertThat(fourth.send(LINEAR + LINEAR).read().status()).isEqualTo(200);
                assertThat(fourth.read().status()).isEqualTo(200);
            }
            assertThat(server.server().counters().limitedBy(Limit.MAX_CONNECTIONS))
                    .isEqualTo(1);
        }
    }

    @Test
    void shouldSayHowItIsEvenWhenThereAreEnoughConnections() {
        try (TestServer server = withTwoConnections();
                RawClient first = server.connect();
                RawClient second = server.connect()) {
            assertThat(first.send(LINEAR).read().status()).isEqualTo(200);
            assertThat(second.send(LINEAR).read().status()).isEqualTo(200);
            for (String path : List.of("/v2/health/live", "/v2/health/ready", "/metrics", "/v2")) {
                try (RawClient prober = server.connect()) {
                    Answer answer = prober.send(RawClient.get(path)).read();
                    assertThat(answer.status()).as(path).isEqualTo(200);
                    assertThat(answer.headers()).containsEntry("connection", "close");
                    assertThat(prober.isClosedByServer()).isTrue();
                }
            }
        }
    }

    @Test
    void shouldCloseAtOnceWhateverIsFarBeyondTheLimit() throws Exception {
        try (TestServer server = withTwoConnections()) {
            List<RawClient> many = new ArrayList<>();
            for (int i = 0; i < 2 + 64; i++) {
                many.add(server.connect());
            }
            await(() -> server.server().counters().connections() == 2 + 64);
            try (RawClient tooMany = server.connect()) {
                assertThat(tooMany.isClosedByServer()).isTrue();
            }
            many.forEach(RawClient::close);
            await(() -> server.server().counters().connections() == 0);
            try (RawClient client = server.connect()) {
                assertThat(client.send(LINEAR).read().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void shouldRefuseBodiesThatTogetherTakeTooMuch() throws Exception {
        String request = RawClient.post(PATH, Bodies.LINEAR + " ".repeat(10_000));
        String tooMuch = RawClient.post(PATH, Bodies.LINEAR + " ".repeat(95_000));
        String tooLarge = RawClient.post(PATH, Bodies.LINEAR + " ".repeat(200_000));
        try (TestServer server = TestServer.start(config -> config.withLimit(Limit.MAX_RECEIVING_BYTES, 100_000));
                RawClient small = server.connect()) {
            small.send(request.substring(0, 1000));
            await(() -> server.server().connections().stream().anyMatch(open -> open.receivedBytes() > 800));
            try (RawClient large = server.connect()) {
                large.send(tooMuch.substring(0, 90_000));
                Answer answer = large.read();
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.headers()).containsEntry("retry-after", "1");
                assertThat(answer.body()).contains("at most 100000 are allowed (--max-receiving-bytes)");
            }
            try (RawClient larger = server.connect()) {
                larger.send(tooLarge.substring(0, 1000));
                assertThat(larger.read().status()).as("more than all may be").isEqualTo(413);
            }
            assertThat(small.send(request.substring(1000)).read().status()).isEqualTo(200);
            // A body that comes in one piece needs none of it.
            assertThat(small.send(LINEAR).read().status()).isEqualTo(200);
            assertThat(server.server().counters().limitedBy(Limit.MAX_RECEIVING_BYTES))
                    .isEqualTo(1);
            await(() -> server.server().connections().size() == 1);
            assertThat(server.server().connections()).allMatch(open -> open.receivedBytes() == 0);
        }
    }

    /// Requests of 8 KiB, so that what one read of at most 64 KiB brings beyond the limit is little.
    @Test
    void shouldNotReadMoreRequestsThanMayWait() throws Exception {
        RuntimeConfig oneAgent = RuntimeConfig.DEFAULT.withAgents(1);
        UnaryOperator<ServerConfig> four =
                config -> config.withRuntime(oneAgent).withLimit(Limit.MAX_PIPELINED, 4);
        String request = RawClient.post("/v2/models/slow/infer", Bodies.slow(2000), "X: " + "x".repeat(8192) + "\r\n");
        try (TestServer server = TestServer.start(four);
                RawClient client = server.connect()) {
            Thread sender = Thread.ofPlatform().start(() -> client.send(request.repeat(200)));
            long most = 0;
            for (int answered = 0; answered < 200; answered++) {
                most = Math.max(
                        most,
                        server.server().runtime().statistics().stream()
                                .mapToLong(lane -> lane.inFlight())
                                .sum());
                assertThat(client.read().status()).isEqualTo(200);
            }
            sender.join();
            assertThat(most).isBetween(1L, 4L + 65_536 / 8192 + 1);
        }
    }

    @Test
    void shouldReadARequestToItsEndWhenOnlyOneMayWait() {
        try (TestServer server = TestServer.start(config -> config.withLimit(Limit.MAX_PIPELINED, 1));
                RawClient client = server.connect()) {
            for (int split = 1; split < LINEAR.length(); split += 10) {
                client.send(LINEAR.substring(0, split));
                client.send(LINEAR.substring(split) + LINEAR + LINEAR);
                for (int i = 0; i < 3; i++) {
                    assertThat(client.read().status()).isEqualTo(200);
                }
            }
        }
    }

    /// Answered by its head, before a slow request's answer lets that go: its body does not count for ever.
    @Test
    void shouldForgetTheBodyOfARequestThatWasAnsweredByItsHead() {
        String slow = RawClient.post("/v2/models/slow/infer", Bodies.slow(100));
        String wrong = RawClient.post("/nothing", " ".repeat(400_000));
        try (TestServer server = TestServer.start();
                RawClient client = server.connect()) {
            for (int i = 0; i < 10; i++) {
                client.send(slow + wrong.substring(0, 200_000));
                assertThat(client.read().status()).isEqualTo(200);
                assertThat(client.read().status()).isEqualTo(404);
                client.send(wrong.substring(200_000));
                assertThat(client.send(LINEAR).read().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void shouldGiveBackWhatABodyTookWhenItsClientLeaves() throws Exception {
        String request = RawClient.post(PATH, Bodies.LINEAR + " ".repeat(300_000));
        try (TestServer server = TestServer.start(config -> config.withLimit(Limit.MAX_RECEIVING_BYTES, 1_000_000))) {
            for (int i = 0; i < 10; i++) {
                try (RawClient client = server.connect()) {
                    client.send(request.substring(0, 200_000));
                    await(() ->
                            server.server().connections().stream().anyMatch(open -> open.receivedBytes() > 190_000));
                }
                await(() -> server.server().connections().isEmpty());
            }
            assertThat(server.server().counters().limitedBy(Limit.MAX_RECEIVING_BYTES))
                    .isZero();
        }
    }

    /// By the clock on the wall: the server looks at its connections by itself.
    @Test
    void shouldLookByItself() {
        try (TestServer server = TestServer.start(config -> config.withLimit(Limit.HEAD_TIMEOUT, 20)
                        .withLimit(Limit.IDLE_TIMEOUT, 20)
                        .withLimit(Limit.BODY_TIMEOUT, 20));
                RawClient head = server.connect();
                RawClient body = server.connect();
                RawClient idle = server.connect()) {
            head.send("GET");
            body.send(LINEAR.substring(0, LINEAR.length() - 1));

            assertThat(head.read().status()).isEqualTo(408);
            assertThat(body.read().status()).isEqualTo(408);
            assertThat(idle.isClosedByServer()).isTrue();
        }
    }
}
