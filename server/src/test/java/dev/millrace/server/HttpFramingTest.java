// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.server.RawClient.Answer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Where requests of HTTP/1.1 begin and end. Whatever two servers in a row could take for different requests is
/// refused, and so is all that comes after it.
class HttpFramingTest {
    private static final String PATH = "/v2/models/linear/infer";
    private static final String BODY = Bodies.LINEAR;
    private static final String DATA = "\"data\":[30.5,0.5]";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(config -> config.withLimit(Limit.MAX_BODY_BYTES, 1_000_000));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String head(String headers) {
        return "POST " + PATH + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n";
    }

    private static String chunk(String text, String extension) {
        return Integer.toHexString(text.length()) + extension + "\r\n" + text + "\r\n";
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ";", ";name", ";name=value", "; name = \"quoted\"", " ;padded", ";a=1;b=2"})
    void shouldPassOverChunkExtensions(String extension) {
        String request = head(CHUNKED) + chunk(BODY.substring(0, 30), extension) + chunk(BODY.substring(30), extension)
                + "0" + extension + "\r\n\r\n";
        try (RawClient client = server.connect()) {
            client.send(request + RawClient.post(PATH, BODY));
            assertThat(client.read().body()).contains(DATA);
            assertThat(client.read().body()).contains(DATA);
        }
    }

    @Test
    void shouldPassOverTrailers() {
        String trailers = "0\r\nX-Checksum: 1\r\nContent-Length: 1000\r\nX-Other: 2\r\n\r\n";
        try (RawClient client = server.connect()) {
            client.send(head(CHUNKED) + chunk(BODY, "") + trailers + RawClient.post(PATH, BODY));
            assertThat(client.read().body()).contains(DATA);
            assertThat(client.read().body()).contains(DATA);
        }
    }

    @Test
    void shouldNotTakeTrailersWithoutEnd() {
        try (RawClient client = server.connect()) {
            client.send(head(CHUNKED) + chunk(BODY, "") + "0\r\n" + "X: y\r\n".repeat(20_000));
            assertThat(client.read().status()).isEqualTo(400);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldTakeManyTinyChunks() throws Exception {
        String blanks = chunk(" ", "").repeat(70_000);
        try (RawClient client = server.connect()) {
            Thread sender = Thread.ofPlatform().start(() -> client.send(head(CHUNKED) + blanks));
            sender.join();
            client.send(chunk(BODY, "") + "0\r\n\r\n" + RawClient.post(PATH, BODY));
            assertThat(client.read().body()).contains(DATA);
            assertThat(client.read().body()).contains(DATA);
        }
        assertThat(server.server().connections()).allMatch(open -> open.receivedBytes() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "g", "-1", "+5", "0x5", "5 5", "5,", "80000000", "fffffffffffffffff", "1\n"})
    void shouldRefuseChunkSizesThatAreNone(String size) {
        try (RawClient client = server.connect()) {
            Answer answer = client.send(head(CHUNKED) + size + "\r\n" + BODY + "\r\n0\r\n\r\n")
                    .read();
            assertThat(answer.status()).as(answer.body()).isEqualTo(400);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                "Content-Length: 5\r\nContent-Length: 5\r\n",
                "Content-Length: 5, 5\r\n",
                "Content-Length: +5\r\n",
                "Content-Length: 0x5\r\n",
                "Content-Length: 5\r\n 6\r\n",
                "Content-Length:\r\n",
                "Content-Length: 99999999999999999999\r\n",
                "Content-Length : 5\r\n",
                "Content-Length: 5\n",
                "X: y\nContent-Length: 5\r\n",
                "X: y\rContent-Length: 5\r\n",
                "X: \0\r\n",
                "Transfer-Encoding: gzip\r\n",
                "Transfer-Encoding: gzip, chunked\r\n",
                "Transfer-Encoding: chunked, gzip\r\n",
                "Transfer-Encoding: chunked, chunked\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: xchunked\r\n",
                "Transfer-Encoding: identity\r\n",
                "Transfer-Encoding:\r\n",
                "Transfer-Encoding : chunked\r\n",
                "Transfer-Encoding: \u000bchunked\r\n",
            })
    void shouldRefuseWhateverTwoServersCouldReadDifferently(String headers) {
        try (RawClient client = server.connect()) {
            client.send(head(headers) + "0\r\n\r\n" + RawClient.get("/v2/health/live"));
            Answer answer = client.read();
            assertThat(answer.status()).as(answer.body()).isEqualTo(400);
            assertThat(answer.headers()).containsEntry("connection", "close");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    /// As RFC 9112 allows instead of refusing it: the line is a part of the value before, never a header of its own.
    @Test
    void shouldTakeAFoldedLineForAPartOfTheValue() {
        try (RawClient client = server.connect()) {
            client.send(head("X: y\r\n Content-Length: 500\r\n\tTransfer-Encoding: chunked\r\nContent-Length: "
                            + BODY.length() + "\r\n")
                    + BODY
                    + RawClient.get("/v2/health/live"));
            assertThat(client.read().body()).contains(DATA);
            assertThat(client.read().body()).isEqualTo("{\"live\":true}");
        }
    }

    @Test
    void shouldRefuseChunksFromOldClients() {
        try (RawClient client = server.connect()) {
            client.send(head(CHUNKED).replace("HTTP/1.1", "HTTP/1.0") + "0\r\n\r\n");
            assertThat(client.read().status()).isEqualTo(400);
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET http://example.com/v2/health/live HTTP/1.1, 200",
        "GET HTTP://EXAMPLE.COM:8000/v2/health/live?x=/y HTTP/1.1, 200",
        "GET https://example.com/v2/health/live HTTP/1.1, 200",
        "GET http://example.com HTTP/1.1, 404",
        "GET ftp://example.com/v2/health/live HTTP/1.1, 404",
        "OPTIONS * HTTP/1.1, 404",
        "OPTIONS /v2/models/linear/infer HTTP/1.1, 405",
        "CONNECT example.com:80 HTTP/1.1, 404",
        "GET /v2 HTTP/1.1 x, 400",
        "GET /v2, 400",
    })
    void shouldReadTargetsOfEveryForm(String line, int status) {
        try (RawClient client = server.connect()) {
            Answer answer = client.send(line + "\r\nHost: test\r\n\r\n").read();
            assertThat(answer.status()).as(answer.body()).isEqualTo(status);
            // No page of another server may ask in a browser.
            assertThat(answer.headers()).doesNotContainKey("access-control-allow-origin");
            if (status != 400) {
                assertThat(client.send(RawClient.post(PATH, BODY)).read().body())
                        .contains(DATA);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v2/models/lin%65ar, 200, linear",
        "/v2/models/%6c%69%6E%65%61%72/versions/%31, 200, linear",
        "/v2/models/a%2Fb, 404, a/b",
        "/v2/models/a%2fb/versions/1/ready, 404, a/b",
        "/v2/models/%e4%bd%a0, 404, 你",
        "/v2/models/%ff, 400, UTF-8",
        "/v2/models/linear%, 400, percent-encoded",
        "/v2/models/linear%2, 400, percent-encoded",
        "/v2/models/+, 404, +",
    })
    void shouldDecodeNamesInPaths(String path, int status, String fragment) {
        try (RawClient client = server.connect()) {
            Answer answer = client.send(RawClient.get(path)).read();
            assertThat(answer.status()).as(answer.body()).isEqualTo(status);
            assertThat(answer.body()).contains(fragment);
        }
    }

    @Test
    void shouldKeepTheConnectionOfOldClientsOnlyIfTheyAsk() {
        String old = RawClient.get("/v2/health/live").replace("HTTP/1.1", "HTTP/1.0");
        try (RawClient client = server.connect()) {
            String keep = old.replace("Host: test", "Connection: Keep-Alive");
            assertThat(client.send(keep).read().headers()).containsEntry("connection", "keep-alive");
            assertThat(client.send(keep).read().headers()).containsEntry("connection", "keep-alive");
            assertThat(client.send(old).read().headers()).containsEntry("connection", "close");
            assertThat(client.isClosedByServer()).isTrue();
        }
    }

    @Test
    void shouldAnswerTheLastRequestWhereverItWasSplit() {
        byte[] request = (head("Connection: close\r\n" + CHUNKED) + chunk(BODY, ";x") + "0\r\nX: y\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8);
        for (int split = 1; split < request.length; split += 3) {
            try (RawClient client = server.connect()) {
                client.send(java.util.Arrays.copyOf(request, split));
                client.send(java.util.Arrays.copyOfRange(request, split, request.length));
                assertThat(client.read().body()).contains(DATA);
                assertThat(client.isClosedByServer()).isTrue();
            }
        }
    }
}
