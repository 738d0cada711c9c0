// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResponseParserTest {
    private final ResponseParser parser = new ResponseParser();

    private static byte[] bytes(String text) {
        return text.replace("|", "\r\n").getBytes(UTF_8);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "HTTP/1.1 200 OK|Content-Length: 3||abc~ 200~ true",
                "HTTP/1.1 200 OK|cOnTeNt-LeNgTh:3||abc~ 200~ true",
                "HTTP/1.1 200|Content-Length: 0||~ 200~ true",
                "HTTP/1.1 204 No Content|Content-Length: 5||~ 204~ true",
                "HTTP/1.1 304 Not Modified||~ 304~ true",
                "HTTP/1.1 200 OK|Connection: close|Content-Length: 1||x~ 200~ false",
                "HTTP/1.0 200 OK|Content-Length: 1||x~ 200~ false",
                "HTTP/1.0 200 OK|Connection: Keep-Alive|Content-Length: 1||x~ 200~ true",
                "HTTP/1.1 503 Service Unavailable|Content-Length: 2||no~ 503~ true",
                "HTTP/1.1 100 Continue||HTTP/1.1 200 OK|Content-Length: 1||x~ 200~ true",
                "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|A|0123456789|0||~ 200~ true",
                "HTTP/1.1 200 OK|Connection: close|Transfer-Encoding: gzip, Chunked||3;a=b|abc|0|X: y||~ 200~ false",
            })
    void shouldFindTheEndWhereverThePartsAreCut(String response, int status, boolean keptAlive) throws IOException {
        byte[] whole = bytes(response);
        for (int cut = 0; cut <= whole.length; cut++) {
            parser.reset();
            int taken = parser.read(whole, 0, cut);
            assertThat(taken).isEqualTo(cut);
            assertThat(parser.isComplete()).isEqualTo(cut == whole.length);
            parser.read(whole, cut, whole.length - cut);
            assertThat(parser.isComplete()).as("cut at %d", cut).isTrue();
            assertThat(parser.status()).isEqualTo(status);
            assertThat(parser.isKeptAlive()).isEqualTo(keptAlive);
        }
    }

    @Test
    void shouldLeaveWhatComesAfterTheEnd() throws IOException {
        byte[] two = bytes("HTTP/1.1 200 OK|Content-Length: 3||abcHTTP/1.1 404 Not Found|Content-Length: 0||");
        int first = parser.read(two, 0, two.length);
        assertThat(parser.status()).isEqualTo(200);
        assertThat(new String(two, first, 4, UTF_8)).isEqualTo("HTTP");
        parser.reset();
        parser.read(two, first, two.length - first);
        assertThat(parser.isComplete()).isTrue();
        assertThat(parser.status()).isEqualTo(404);
    }

    @Test
    void shouldEndWithTheConnectionWhenThereIsNoLength() throws IOException {
        byte[] answer = bytes("HTTP/1.1 200 OK||whatever");
        parser.read(answer, 0, answer.length);
        assertThat(parser.isComplete()).isFalse();
        assertThat(parser.closed()).isTrue();
        assertThat(parser.isKeptAlive()).isFalse();
    }

    @Test
    void shouldNotEndWithTheConnectionWhenSomethingIsMissing() throws IOException {
        byte[] answer = bytes("HTTP/1.1 200 OK|Content-Length: 3||ab");
        parser.read(answer, 0, answer.length);
        assertThat(parser.closed()).isFalse();
    }

    @Test
    void shouldKeepTheStartOfWhatAnErrorSays() throws IOException {
        byte[] answer = bytes("HTTP/1.1 400 Bad Request|Content-Length: 600||" + "e".repeat(600));
        parser.read(answer, 0, answer.length);
        assertThat(parser.isComplete()).isTrue();
        assertThat(parser.keptBody()).isEqualTo("e".repeat(500));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH|",
                "HTTP/2 200 OK|",
                "HTTP/1.1 2x0 OK|",
                "HTTP/1.1 099 OK|",
                "HTTP/1.1 200 OK|Content-Length: x|",
                "HTTP/1.1 200 OK|Content-Length: -1|",
                "HTTP/1.1 200 OK|Transfer-Encoding: chunked||zz|",
            })
    void shouldSayWhenItIsNoHttp(String answer) {
        byte[] bytes = bytes(answer);
        assertThatThrownBy(() -> parser.read(bytes, 0, bytes.length)).isInstanceOf(IOException.class);
    }

    @Test
    void shouldNotTakeInALineWithoutAnEnd() {
        byte[] endless = bytes("HTTP/1.1 200 OK|X: " + "x".repeat(40_000));
        assertThatThrownBy(() -> parser.read(endless, 0, endless.length)).hasMessageContaining("32768");
    }
}
