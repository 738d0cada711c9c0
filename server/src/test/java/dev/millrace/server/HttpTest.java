// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.server.RawClient.Answer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// HTTP as it comes over the wire.
class HttpTest {
    private static final int MAX_BODY = 100_000;
    private static final String PATH = "/v2/models/linear/infer";
    private static final String BODY = Bodies.LINEAR;
    private static final String DATA = "\"data\":[30.5,0.5]";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(config -> config.withLimit(Limit.MAX_BODY_BYTES, MAX_BODY));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String numbered(int number) {
        return RawClient.post(PATH, Bodies.with("'id':'" + number + "'", BODY));
    }

    @Test
    void shouldAnswerPipelinedRequestsInOrder() {
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            requests.append(numbered(i));
        }
        try (RawClient client = server.connect()) {
            client.send(requests.toString());
            for (int i = 0; i < 1000; i++) {
                assertThat(client.read().body()).contains("\"id\":\"" + i + "\"", DATA);
            }
        }
    }

    @Test
    void shouldAnswerInOrderWhenOthersAreDoneFirst() {
        String slow = Bodies.slow(20_000);
        try (RawClient client = server.connect()) {
            client.send(RawClient.post("/v2/models/slow/infer", slow)
                    + RawClient.get("/v2/health/live")
                    + RawClient.get("/nothing")
                    + RawClient.get("/metrics")
                    + numbered(1)
                    + RawClient.post("/v2/models/slow/infer", slow)
                    + RawClient.post(PATH, "{")
                    + numbered(2));

            assertThat(client.read().body()).contains("\"slow\"");
            assertThat(client.read().body()).isEqualTo("{\"live\":true}");
            assertThat(client.read().status()).isEqualTo(404);
            assertThat(client.read().body()).contains("# TYPE");
            assertThat(client.read().body()).contains("\"id\":\"1\"");
            assertThat(client.read().body()).contains("\"slow\"");
            assertThat(client.read().status()).isEqualTo(400);
            assertThat(client.read().body()).contains("\"id\":\"2\"");
        }
    }

    @Test
    void shouldTakeRequestsInPiecesOfAnySize() {
        byte[] requests =
                (numbered(1) + RawClient.get("/v2/health/live") + numbered(2)).getBytes(StandardCharsets.UTF_8);
        try (RawClient client = server.connect()) {
            for (byte piece : requests) {
                client.send(new byte[] {piece});
            }
            expectThree(client);
            SplittableRandom random = new SplittableRandom(3);
            for (int round = 0; round < 50; round++) {
                int at = 0;
                while (at < requests.length) {
                    int length = Math.min(requests.length - at, random.nextInt(1, 120));
                    client.send(java.util.Arrays.copyOfRange(requests, at, at + length));
                    at += length;
                }
                expectThree(client);
            }
        }
    }

    @Test
    void shouldTakeARequestSplitAtEveryByte() {
        byte[] request = numbered(7).getBytes(StandardCharsets.UTF_8);
        try (RawClient client = server.connect()) {
            for (int split = 1; split < request.length; split++) {
                client.send(java.util.Arrays.copyOf(request, split));
                client.send(java.util.Arrays.copyOfRange(request, split, request.length));
                assertThat(client.read().body()).contains("\"id\":\"7\"", DATA);
            }
        }
    }

    private static void expectThree(RawClient client) {
        assertThat(client.read().body()).contains("\"id\":\"1\"", DATA);
        assertThat(client.read().body()).isEqualTo("{\"live\":true}");
        assertThat(client.read().body()).contains("\"id\":\"2\"", DATA);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 40, 1000})
    void shouldTakeChunkedBodies(int chunkLength) {
        StringBuilder request =
                new StringBuilder("POST " + PATH + " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int at = 0; at < BODY.length(); at += chunkLength) {
            String chunk = BODY.substring(at, Math.min(BODY.length(), at + chunkLength));
            request.append(Integer.toHexString(chunk.length()))
                    .append("\r\n")
                    .append(chunk)
                    .append("\r\n");
        }
        request.append("0\r\n\r\n");
        try (RawClient client = server.connect()) {
            assertThat(client.send(request.toString()).read().body()).contains(DATA);
            assertThat(client.send(numbered(1)).read().body()).contains(DATA);
        }
    }

    @Test
    void shouldSayWhenTheBodyMayBeSent() {
        String request = RawClient.post(PATH, BODY, "Expect: 100-continue\r\n");
        int bodyAt = request.length() - BODY.length();
        try (RawClient client = server.connect()) {
            client.send(request.substring(0, bodyAt));
            assertThat(client.read().status()).isEqualTo(100);
            assertThat(client.send(BODY).read().body()).contains(DATA);

            client.send(numbered(1) + request.substring(0, bodyAt));
            assertThat(client.read().body()).contains(DATA);
            assertThat(client.read().status()).isEqualTo(100);
            assertThat(client.send(BODY).read().body()).contains(DATA);
        }
    }

    @Test
    void shouldNotAskForABodyThatIsTooLarge() {
        try (RawClient client = server.connect()) {
            client.send("POST " + PATH
                    + " HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n");
            Answer answer = client.read();
            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.headers()).containsEntry("connection", "close");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldNotMeetOtherExpectations() {
        try (RawClient client = server.connect()) {
            assertThat(client.send(RawClient.post(PATH, BODY, "Expect: magic\r\n"))
                            .read()
                            .status())
                    .isEqualTo(417);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldTakeABodyOfTheLargestSizeAndNoMore() {
        String padding = " ".repeat(MAX_BODY - BODY.length());
        try (RawClient client = server.connect()) {
            assertThat(client.send(RawClient.post(PATH, BODY + padding)).read().body())
                    .contains(DATA);
            Answer answer =
                    client.send(RawClient.post(PATH, BODY + padding + " ")).read();
            assertThat(answer.status()).isEqualTo(413);
            assertThat(JsonTree.parse(answer.body()).get("error").text()).contains("100001", "100000");
            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(server.infer("linear", BODY).status()).isEqualTo(200);
    }

    @Test
    void shouldAnswerABodyThatNeverEnds() {
        String chunk = "3e8\r\n" + " ".repeat(1000) + "\r\n";
        try (RawClient client = server.connect()) {
            client.send("POST " + PATH + " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.send(chunk.repeat(101));
            Answer answer = client.read();
            assertThat(answer.status()).isEqualTo(413);
            assertThat(answer.body()).contains("more than 100000 bytes");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldAnswerWhileAHugeBodyIsBeingSent() {
        try (RawClient client = server.connect()) {
            client.send("POST " + PATH + " HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000\r\n\r\n");
            client.send(new byte[2_000_000]);
            assertThat(client.read().status()).isEqualTo(413);
        }
    }

    @Test
    void shouldAnswerWhatStandsBeforeARequestThatIsTooLarge() {
        try (RawClient client = server.connect()) {
            client.send(numbered(1) + "POST " + PATH + " HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000\r\n\r\nabc");
            assertThat(client.read().body()).contains(DATA);
            assertThat(client.read().status()).isEqualTo(413);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldCloseWhenTheClientWantsIt() {
        try (RawClient client = server.connect()) {
            Answer answer = client.send(RawClient.post(PATH, BODY, "Connection: close\r\n"))
                    .read();
            assertThat(answer.body()).contains(DATA);
            assertThat(answer.headers()).containsEntry("connection", "close");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldSpeakToOldClients() {
        String old = numbered(1).replace("HTTP/1.1", "HTTP/1.0");
        try (RawClient client = server.connect()) {
            Answer answer = client.send(old.replace("Host: test", "Connection: keep-alive"))
                    .read();
            assertThat(answer.body()).contains(DATA);
            assertThat(answer.headers()).containsEntry("connection", "keep-alive");
            assertThat(client.send(old).read().body()).contains(DATA);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldSendNoBodyForHead() {
        try (RawClient client = server.connect()) {
            client.send("HEAD /v2 HTTP/1.1\r\nHost: test\r\n\r\n" + RawClient.get("/v2/health/live"));
            assertThat(client.read(false).headers().get("content-length")).isNotEqualTo("0");
            assertThat(client.read().body()).isEqualTo("{\"live\":true}");
        }
    }

    @Test
    void shouldKeepTheConnectionWhenAPathOrMethodIsWrong() {
        try (RawClient client = server.connect()) {
            client.send(
                    RawClient.post("/nothing", BODY) + RawClient.post("/v2", BODY) + RawClient.get(PATH) + numbered(1));
            assertThat(client.read().status()).isEqualTo(404);
            assertThat(client.read().status()).isEqualTo(405);
            assertThat(client.read().status()).isEqualTo(405);
            assertThat(client.read().body()).contains(DATA);
        }
    }

    @Test
    void shouldIgnoreTheContentTypeAndTakeHeadersInAnyCase() {
        String request = RawClient.post(PATH, BODY, "content-type: text/plain\r\nx-millrace-timeout-us: 10000000\r\n")
                .replace("Content-Length", "CONTENT-length");
        try (RawClient client = server.connect()) {
            assertThat(client.send(request).read().body()).contains(DATA);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "X-Millrace-Timeout-Us: soon, 400, soon",
        "X-Millrace-Timeout-Us: -1, 400, -1",
        "X-Millrace-Timeout-Us:, 400, microseconds",
        "X-Millrace-Timeout-Us: 99999999999999999999999, 200, data",
        "Content-Encoding: br, 415, br",
        "Content-Encoding: identity, 200, data",
    })
    void shouldReadHeaders(String header, int status, String fragment) {
        try (RawClient client = server.connect()) {
            Answer answer =
                    client.send(RawClient.post(PATH, BODY, header + "\r\n")).read();
            assertThat(answer.status()).isEqualTo(status);
            assertThat(answer.body()).contains(fragment);
            assertThat(client.send(numbered(1)).read().body()).contains(DATA);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'nonsense\r\n\r\n', 400",
        "'GET /v2 HTTP/2.0\r\n\r\n', 505",
        "'GET /v2 FTP/1.1\r\n\r\n', 400",
        "'PRI * HTTP/2.0\r\nHost: test\r\n\r\n', 505",
        "'POST /v2/models/linear/infer HTTP/1.1\r\nContent-Length: many\r\n\r\n', 400",
        "'POST /v2/models/linear/infer HTTP/1.1\r\nContent-Length: -5\r\n\r\n', 400",
        "'POST /v2/models/linear/infer HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400",
        "'POST /v2/models/linear/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400",
        "'GET /v2 HTTP/1.1\r\nbad header\r\n\r\n', 400",
        "'GET /v2/models/%zz HTTP/1.1\r\nConnection: close\r\n\r\n', 400",
    })
    void shouldAnswerWhatIsNoHttp(String bytes, int status) {
        try (RawClient client = server.connect()) {
            Answer answer = client.send(bytes).read();
            assertThat(answer.status()).as(answer.body()).isEqualTo(status);
            assertThat(JsonTree.parse(answer.body()).members()).containsOnlyKeys("error");
            assertThat(client.isClosedByServer()).isTrue();
        }
        assertThat(server.infer("linear", BODY).status()).isEqualTo(200);
    }

    @Test
    void shouldRefuseHeadsThatAreTooLong() {
        try (RawClient client = server.connect()) {
            assertThat(client.send(RawClient.get("/" + "x".repeat(10_000)))
                            .read()
                            .status())
                    .isEqualTo(414);
        }
        try (RawClient client = server.connect()) {
            client.send("GET /v2 HTTP/1.1\r\nX: " + "x".repeat(40_000) + "\r\n\r\n");
            assertThat(client.read().status()).isEqualTo(431);
        }
    }
}
