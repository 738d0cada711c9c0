// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.server.Http2Client.Answer;
import dev.millrace.server.TestServer.Reply;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// HTTP/2 as it comes over the wire, and by a client that asks for it.
class Http2Test {
    private static final int MAX_BODY = 3_000_000;
    private static final String LINEAR = "/v2/models/linear/infer";
    private static final String DATA = "\"data\":[30.5,0.5]";
    private static final int LONG = 400_000;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(config -> config.withLimit(Limit.MAX_BODY_BYTES, MAX_BODY));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Http2Client connect() {
        return Http2Client.connect(server.port());
    }

    @Test
    void shouldAnswerOnAllStreamsOfAConnection() {
        try (Http2Client client = connect()) {
            for (int i = 0; i < 1000; i += 100) {
                for (int stream = i; stream < i + 100; stream++) {
                    client.infer(2 * stream + 1, "linear", Bodies.with("'id':'" + stream + "'", Bodies.LINEAR));
                }
                for (int stream = i; stream < i + 100; stream++) {
                    Answer answer = client.answer(2 * stream + 1);
                    assertThat(answer.status()).isEqualTo(200);
                    assertThat(answer.headers())
                            .containsEntry("content-type", "application/json")
                            .containsEntry("content-length", Integer.toString(answer.bytes()));
                    assertThat(answer.body()).contains("\"id\":\"" + stream + "\"", DATA);
                }
            }
        }
    }

    @Test
    void shouldNotLetAQuickAnswerWaitForASlowOne() {
        try (Http2Client client = connect()) {
            client.infer(1, "slow", Bodies.slow(10 * LONG)).infer(3, "linear", Bodies.LINEAR);

            assertThat(client.answer(3).body()).contains(DATA);
            assertThat(client.soFar(1).isEnded()).isFalse();
            assertThat(client.answer(1).status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v2/health/live, 200, live",
        "GET, http://test/v2/health/ready, 200, ready",
        "GET, /nothing, 404, nothing",
        "GET, /v2/models/linear/infer, 405, POST",
        "POST, /v2, 405, GET",
        "GET, /v2/models/%zz, 400, encoded",
        "GET, /v2/models/other, 404, other",
        "CONNECT, , 404, nothing",
    })
    void shouldAnswerEverythingElse(String method, String path, int status, String fragment) {
        try (Http2Client client = connect()) {
            Http2Headers head = Http2Client.head(method, path == null ? "/" : path);
            if (path == null) {
                head.remove(":path");
                head.remove(":scheme");
            }
            Answer answer = client.headers(1, head, true).answer(1);
            assertThat(answer.status()).as(answer.body()).isEqualTo(status);
            assertThat(answer.body()).contains(fragment);
            assertThat(answer.headers().containsKey("allow")).isEqualTo(status == 405);
            assertThat(client.infer(3, "linear", Bodies.LINEAR).answer(3).body())
                    .contains(DATA);
        }
    }

    @Test
    void shouldSendNoBodyForHead() {
        try (Http2Client client = connect()) {
            Answer answer =
                    client.headers(1, Http2Client.head("HEAD", "/v2"), true).answer(1);
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.headers().get("content-length")).isNotEqualTo("0");
            assertThat(answer.bytes()).isZero();
        }
    }

    @Test
    void shouldTellWhereTheTimeWent() {
        try (Http2Client client = connect()) {
            Http2Headers head = Http2Client.head("POST", LINEAR).add("x-millrace-timing", "1");
            Answer answer =
                    client.headers(1, head, false).data(1, Bodies.LINEAR, true).answer(1);
            assertThat(answer.headers().get("server-timing")).contains("decode;dur=", "total;dur=");
        }
    }

    @Test
    void shouldTakeFramesInPiecesOfAnySize() {
        try (Http2Client client = connect()) {
            byte[] bytes = client.infer(1, "linear", Bodies.LINEAR).unsent();
            for (byte piece : bytes) {
                client.bytes(new byte[] {piece}).flush();
            }
            assertThat(client.answer(1).body()).contains(DATA);
        }
    }

    @Test
    void shouldTakeBodiesInFramesOfAnySize() {
        byte[] body = Bodies.LINEAR.getBytes(StandardCharsets.UTF_8);
        try (Http2Client client = connect()) {
            int stream = 1;
            for (int length : new int[] {1, 2, 7, 40, body.length}) {
                client.headers(stream, Http2Client.head("POST", LINEAR), false);
                for (int at = 0; at < body.length; at += length) {
                    client.data(stream, Arrays.copyOfRange(body, at, Math.min(body.length, at + length)), false)
                            .flush();
                }
                assertThat(client.data(stream, "", true).answer(stream).body()).contains(DATA);
                stream += 2;
            }
        }
    }

    @Test
    void shouldTakeTrailersForTheEndOfABody() {
        try (Http2Client client = connect()) {
            client.headers(1, Http2Client.head("POST", LINEAR), false).data(1, Bodies.LINEAR, false);
            byte[] trailers = client.encoded(1, new io.netty.handler.codec.http2.DefaultHttp2Headers().add("x", "y"));
            client.frame(Http2Client.HEADERS, Http2Client.END_HEADERS | Http2Client.END_STREAM, 1, trailers);
            assertThat(client.answer(1).body()).contains(DATA);
        }
    }

    @Test
    void shouldTakeBodiesThatAreLargerThanAWindow() {
        String large = Bodies.LINEAR + " ".repeat(MAX_BODY - Bodies.LINEAR.length());
        try (Http2Client client = connect()) {
            // More than the client was allowed at first: it would be told if that were wrong.
            HttpClient javaClient = HttpClient.newHttpClient();
            Reply reply = send(javaClient, large);
            assertThat(reply.data()).isEqualTo("30.5,0.5");
            assertThat(reply.response().version()).isEqualTo(HttpClient.Version.HTTP_2);
            javaClient.shutdown();
            assertThat(client.infer(1, "linear", Bodies.LINEAR).answer(1).body())
                    .contains(DATA);
        }
    }

    private static Reply send(HttpClient client, String body) {
        HttpRequest request =
                server.request(LINEAR).POST(BodyPublishers.ofString(body)).build();
        HttpResponse<String> response =
                client.sendAsync(request, BodyHandlers.ofString()).join();
        return new Reply(response.statusCode(), response.body(), response);
    }

    @Test
    void shouldSayWhenTheBodyMayBeSent() {
        try (Http2Client client = connect()) {
            client.headers(1, Http2Client.head("POST", LINEAR).add("expect", "100-continue"), false)
                    .flush();
            while (client.soFar(1).status() == 0) {
                client.read();
            }
            assertThat(client.soFar(1).status()).isEqualTo(100);
            assertThat(client.data(1, Bodies.LINEAR, true).answer(1).body()).contains(DATA);
            assertThat(client.soFar(1).informational()).isEqualTo(100);

            Http2Headers tooLarge = Http2Client.head("POST", LINEAR)
                    .add("expect", "100-continue")
                    .add("content-length", "3000001");
            assertThat(client.headers(3, tooLarge, false).answer(3).status()).isEqualTo(413);
        }
    }

    @Test
    void shouldRefuseABodyThatIsTooLargeAndNoOtherStream() {
        byte[] piece = " ".repeat(16_000).getBytes(StandardCharsets.UTF_8);
        try (Http2Client client = connect()) {
            client.headers(1, Http2Client.head("POST", LINEAR).add("content-length", "3000001"), false);
            Answer byLength = client.answer(1);
            assertThat(byLength.status()).isEqualTo(413);
            assertThat(JsonTree.parse(byLength.body()).get("error").text()).contains("3000001", "3000000");

            client.headers(3, Http2Client.head("POST", LINEAR), false);
            // Within the window that everybody has at first.
            Answer halfway = client.soFar(3);
            int sent = 0;
            while (sent <= MAX_BODY) {
                client.data(3, piece, false);
                sent += piece.length;
                if (sent % (piece.length * 50) == 0) {
                    client.ping(sent).awaitPings(sent / (piece.length * 50));
                }
            }
            assertThat(client.answer(3).status()).isEqualTo(413);
            assertThat(halfway.body()).contains("more than 3000000 bytes");
            while (client.soFar(3).reset() < 0) {
                client.read();
            }
            assertThat(client.soFar(3).reset()).isEqualTo(Http2Error.NO_ERROR.code());
            assertThat(client.infer(5, "linear", Bodies.LINEAR).answer(5).body())
                    .contains(DATA);
        }
    }

    @Test
    void shouldAnswerByTheHeadAloneAndPassOverTheBody() {
        try (Http2Client client = connect()) {
            client.headers(1, Http2Client.head("POST", "/nothing"), false);
            assertThat(client.answer(1).status()).isEqualTo(404);
            client.data(1, "some of it", false).data(1, "the rest", true).infer(3, "linear", Bodies.LINEAR);
            assertThat(client.answer(3).body()).contains(DATA);
            assertThat(client.soFar(1).reset()).isEqualTo(-1);
        }
    }

    @Test
    void shouldRefuseHeadsThatAreTooLong() {
        try (Http2Client client = connect()) {
            Answer line = client.get(1, "/" + "x".repeat(10_000)).answer(1);
            assertThat(line.status()).isEqualTo(414);
            assertThat(line.body()).contains("--max-line-bytes");

            Http2Headers headers = Http2Client.head("GET", "/v2");
            for (int i = 0; i < 4; i++) {
                headers.add("x" + i, "x".repeat(8200));
            }
            // More than a frame takes.
            byte[] block = client.encoded(3, headers);
            client.frame(Http2Client.HEADERS, Http2Client.END_STREAM, 3, Arrays.copyOf(block, 16_000))
                    .frame(
                            Http2Client.CONTINUATION,
                            Http2Client.END_HEADERS,
                            3,
                            Arrays.copyOfRange(block, 16_000, block.length));
            assertThat(client.answer(3).status()).isEqualTo(431);
            assertThat(client.soFar(3).body()).contains("--max-header-bytes");

            Http2Headers many = Http2Client.head("GET", "/v2");
            for (int i = 0; i < 101; i++) {
                many.add("x" + i, "y");
            }
            assertThat(client.headers(5, many, true).answer(5).status()).isEqualTo(431);
            assertThat(client.soFar(5).body()).contains("--max-headers");
            assertThat(client.get(7, "/v2").answer(7).status()).isEqualTo(200);
        }
    }

    /// One header of 4000 bytes that the client's table has, and a thousand bytes that refer to it.
    @Test
    void shouldNotUnpackABomb() {
        try (Http2Client client = connect()) {
            Http2Headers head = Http2Client.head("GET", "/v2").add("x", "x".repeat(3900));
            assertThat(client.headers(1, head, true).answer(1).status()).isEqualTo(200);
            byte[] once = client.encoded(3, head);
            byte[] bomb = Arrays.copyOf(once, once.length + 1000);
            Arrays.fill(bomb, once.length, bomb.length, once[once.length - 1]);
            client.frame(Http2Client.HEADERS, Http2Client.END_HEADERS | Http2Client.END_STREAM, 3, bomb)
                    .answer(3);
            assertThat(client.soFar(3).status()).isEqualTo(431);
            assertThat(client.soFar(3).body()).contains("--max-header-bytes");
        }
    }

    @Test
    void shouldEndConnectionsThatOnlyResetStreams() {
        try (Http2Client client = connect()) {
            for (int i = 0; i < 1000; i++) {
                client.get(2 * i + 1, "/v2").reset(2 * i + 1, 8);
            }
            client.ping(1).awaitPings(1);
            assertThat(client.lastOfGoAway()).isEqualTo(-1);
            client.get(2001, "/v2").reset(2001, 8).awaitClose();
            assertThat(client.errorOfGoAway()).isEqualTo(Http2Error.ENHANCE_YOUR_CALM.code());
        }
    }

    @Test
    void shouldEndConnectionsThatSendEmptyFrames() {
        try (Http2Client client = connect()) {
            client.headers(1, Http2Client.head("POST", LINEAR), false);
            for (int i = 0; i < 100; i++) {
                client.data(1, "", false);
            }
            client.awaitClose();
            assertThat(client.errorOfGoAway()).isEqualTo(Http2Error.ENHANCE_YOUR_CALM.code());
        }
    }

    @Test
    void shouldEndConnectionsWhoseHeadersNeverEnd() {
        try (Http2Client client = connect()) {
            client.frame(Http2Client.HEADERS, 0, 1, new byte[0]);
            for (int i = 0; i < 100; i++) {
                client.frame(Http2Client.CONTINUATION, 0, 1, new byte[] {0});
            }
            client.awaitClose();
            assertThat(client.errorOfGoAway()).isEqualTo(Http2Error.ENHANCE_YOUR_CALM.code());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "5, 4, 1, 00000002", // a push
        "0, 1, 0, 00", // data on no stream
        "0, 1, 1, 00", // data on a stream that never was
        "8, 0, 0, 00000000", // a window of nothing
        "4, 0, 0, 0000", // half a setting
        "1, 5, 2, 82", // a stream of the server's
        "1, 5, 1, ff", // an index beyond all tables
        "6, 0, 0, 00", // half a ping
    })
    void shouldEndConnectionsThatBreakTheProtocol(int type, int flags, int stream, String payload) {
        try (Http2Client client = connect()) {
            client.frame(type, flags, stream, java.util.HexFormat.of().parseHex(payload))
                    .awaitClose();
            assertThat(client.errorOfGoAway()).isPositive();
        }
        assertThat(server.infer("linear", Bodies.LINEAR).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({"connection, close", "transfer-encoding, chunked", "Upper, case", ":odd, pseudo", "content-length, x"})
    void shouldResetRequestsWhoseHeadersAreNone(String name, String value) {
        try (Http2Client client = connect()) {
            Answer answer = client.headers(1, Http2Client.head("GET", "/v2").add(name, value), true)
                    .answer(1);
            assertThat(answer.reset()).isEqualTo(Http2Error.PROTOCOL_ERROR.code());
            assertThat(client.get(3, "/v2").answer(3).status()).isEqualTo(200);
        }
    }

    @Test
    void shouldResetRequestsWithoutAMethod() {
        try (Http2Client client = connect()) {
            Http2Headers head = Http2Client.head("G T", LINEAR);
            client.headers(1, head, false).data(1, Bodies.LINEAR, true);
            assertThat(client.answer(1).reset()).isEqualTo(Http2Error.PROTOCOL_ERROR.code());
            assertThat(client.get(3, "/v2").answer(3).status()).isEqualTo(200);
        }
    }

    @Test
    void shouldResetRequestsWhoseLengthIsNotWhatTheySay() {
        try (Http2Client client = connect()) {
            Http2Headers head = Http2Client.head("POST", LINEAR).add("content-length", "5");
            client.headers(1, head, false).data(1, Bodies.LINEAR, true);
            assertThat(client.answer(1).reset()).isEqualTo(Http2Error.PROTOCOL_ERROR.code());
        }
    }

    @Test
    void shouldSpeakHttp2ToThoseWhoAskForIt() {
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            for (int i = 0; i < 3; i++) {
                Reply reply = send(client, Bodies.LINEAR);
                assertThat(reply.response().version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(reply.data()).isEqualTo("30.5,0.5");
            }
            List<CompletableFuture<HttpResponse<String>>> replies = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                replies.add(client.sendAsync(
                        server.request(LINEAR)
                                .POST(BodyPublishers.ofString(Bodies.with("'id':'" + i + "'", Bodies.LINEAR)))
                                .build(),
                        BodyHandlers.ofString()));
            }
            for (int i = 0; i < 200; i++) {
                assertThat(replies.get(i).join().body()).contains("\"id\":\"" + i + "\"", DATA);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n', true",
        "'Connection: upgrade,http2-settings\r\nUpgrade: H2C\r\nHTTP2-Settings:\r\n', true",
        "'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n', false",
        "'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings:\r\n', false",
        "'Connection: HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings:\r\n', false",
        "'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket\r\nHTTP2-Settings:\r\n', false",
        "'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n', false",
        "'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAIAAAAC\r\n', false",
        "'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings:\r\nHTTP2-Settings:\r\n', false",
    })
    void shouldSwitchOnlyForThoseWhoAskProperly(String headers, boolean switches) {
        try (RawClient client = server.connect()) {
            RawClient.Answer answer =
                    client.send(RawClient.post(LINEAR, Bodies.LINEAR, headers)).read();
            assertThat(answer.status()).isEqualTo(switches ? 101 : 200);
            if (!switches) {
                assertThat(client.send(RawClient.post(LINEAR, Bodies.LINEAR))
                                .read()
                                .body())
                        .contains(DATA);
            }
        }
    }

    @Test
    void shouldAnswerInHttp1IfOthersWaitBeforeTheOneThatAsks() {
        String asks = RawClient.post(
                LINEAR, Bodies.LINEAR, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings:\r\n");
        try (RawClient client = server.connect()) {
            client.send(RawClient.post("/v2/models/slow/infer", Bodies.slow(10_000)) + asks);
            assertThat(client.read().status()).isEqualTo(200);
            assertThat(client.read().body()).contains(DATA);
        }
    }
}
