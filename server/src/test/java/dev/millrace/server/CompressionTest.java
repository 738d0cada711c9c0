// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static dev.millrace.server.BinaryMessage.concat;
import static dev.millrace.server.BinaryMessage.floats;
import static dev.millrace.server.BinaryMessage.input;
import static dev.millrace.server.BinaryMessage.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.server.RawClient.Answer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Compressed bodies, both ways.
class CompressionTest {
    private static final int MAX_BODY = 1 << 20;
    private static final String BINARY_OUTPUT = "'parameters':{'binary_data_output':true}";

    private static TestServer server;

    private RawClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(config -> config.withLimit(Limit.MAX_BODY_BYTES, MAX_BODY));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void connect() {
        client = server.connect();
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    private static byte[] packed(String coding, byte[] plain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out =
                coding.equals("deflate") ? new DeflaterOutputStream(bytes) : new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    private static byte[] unpacked(String coding, byte[] packed) throws IOException {
        InputStream bytes = new ByteArrayInputStream(packed);
        try (InputStream in = coding.equals("deflate") ? new InflaterInputStream(bytes) : new GZIPInputStream(bytes)) {
            return in.readAllBytes();
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Answer post(String headers, byte[] body) {
        return client.send(request("linear", headers, "", body)).read();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate", "x-gzip", "GZIP"})
    void shouldTakeCompressedBodies(String coding) throws IOException {
        byte[] body = packed(coding, utf8(Bodies.LINEAR));
        for (int round = 0; round < 3; round++) {
            Answer answer = post("Content-Encoding: " + coding + "\r\n", body);
            assertThat(answer.status()).as("%s", answer).isEqualTo(200);
            assertThat(answer.body()).contains("[30.5,0.5]");
        }
        assertThat(post("Content-Encoding: identity\r\n", utf8(Bodies.LINEAR)).status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate"})
    void shouldCountTheJsonBeforeItIsCompressed(String coding) throws IOException {
        String json = Bodies.with(BINARY_OUTPUT, Bodies.request(input("x", "[1,4]", "FP32", 16)));
        byte[] body = packed(coding, concat(utf8(json), floats(1, 2, 3, 4)));

        Answer answer = post(
                "Content-Encoding: " + coding + "\r\nInference-Header-Content-Length: " + json.length() + "\r\n", body);

        assertThat(BinaryMessage.parts(answer).bytes().get("y")).isEqualTo(floats(30.5f, 0.5f));
    }

    @ParameterizedTest
    @CsvSource({
        "gzip, 5, ends too early",
        "gzip, 40, Unexpected end of ZLIB input stream",
        "deflate, 40, Unexpected end of ZLIB input stream",
    })
    void shouldRefuseBodiesThatAreCutOff(String coding, int length, String message) throws IOException {
        byte[] body = Arrays.copyOf(packed(coding, utf8(Bodies.LINEAR)), length);

        Answer answer = post("Content-Encoding: " + coding + "\r\n", body);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains("cannot be read as " + coding, message);
        assertThat(post("", utf8(Bodies.LINEAR)).status()).isEqualTo(200);
    }

    @Test
    void shouldRefuseBodiesThatAreNotCompressed() throws IOException {
        assertThat(post("Content-Encoding: gzip\r\n", utf8(Bodies.LINEAR)).body())
                .contains("cannot be read as gzip");
        assertThat(post("Content-Encoding: deflate\r\n", packed("gzip", utf8(Bodies.LINEAR)))
                        .body())
                .contains("cannot be read as deflate");
        assertThat(post("Content-Encoding: gzip\r\n", new byte[0]).status()).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate"})
    void shouldNotTakeMoreThanABodyMayHaveWhenItIsDecompressed(String coding) throws IOException {
        byte[] bomb = packed(coding, new byte[200 * MAX_BODY]);
        assertThat(bomb.length).isLessThan(MAX_BODY);
        long before = server.server().counters().limitedBy(Limit.MAX_BODY_BYTES);

        Answer answer = post("Content-Encoding: " + coding + "\r\n", bomb);

        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.body()).contains("a body of more than " + MAX_BODY + " bytes when decompressed");
        assertThat(server.server().counters().limitedBy(Limit.MAX_BODY_BYTES)).isEqualTo(before + 1);
        assertThat(post("", utf8(Bodies.LINEAR)).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gzip                       | gzip",
                "deflate                    | deflate",
                "gzip, deflate, br          | gzip",
                "br;q=1.0, deflate;q=0.9    | deflate",
                "gzip;q=0.2, deflate;q=0.8  | deflate",
                "gzip;q=0                   | -",
                "*                          | gzip",
                "identity, gzip;q=0.5       | -",
                "br                         | -",
                "gzip;q=x                   | -",
            })
    void shouldCompressAnswersAsTheClientLikes(String accepted, String coding) throws IOException {
        StringBuilder data = new StringBuilder("1");
        for (int i = 1; i < 4000; i++) {
            data.append(',').append(i % 7);
        }
        String json = Bodies.request(Bodies.input("x", "[1000,4]", "FP32", "[" + data + "]"));
        Answer plain = post("", utf8(json));

        Answer answer = post("Accept-Encoding: " + accepted + "\r\n", utf8(json));

        assertThat(answer.status()).isEqualTo(200);
        if (coding.equals("-")) {
            assertThat(answer.headers()).doesNotContainKey("Content-Encoding");
            assertThat(answer.bytes()).isEqualTo(plain.bytes());
        } else {
            assertThat(answer.headers()).containsEntry("Content-Encoding", coding);
            assertThat(answer.bytes().length).isLessThan(plain.bytes().length / 2);
            assertThat(unpacked(coding, answer.bytes())).isEqualTo(plain.bytes());
        }
    }

    @Test
    void shouldLeaveSmallAnswersAndErrorsAsTheyAre() {
        assertThat(post("Accept-Encoding: gzip\r\n", utf8(Bodies.LINEAR)).headers())
                .doesNotContainKey("Content-Encoding");
        assertThat(post("Accept-Encoding: gzip\r\n", utf8("{}")).body()).contains("missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "deflate"})
    void shouldCompressBytesBehindTheJson(String coding) throws IOException {
        byte[] values = new byte[16 * 1000];
        Arrays.fill(values, (byte) 3);
        String json = Bodies.with(
                BINARY_OUTPUT + ",'id':'" + "i".repeat(50) + "'",
                Bodies.request(input("x", "[1,2000,2]", "FP32", values.length)));
        String headers =
                "Inference-Header-Content-Length: " + json.length() + "\r\nAccept-Encoding: " + coding + "\r\n";

        Answer answer = client.send(request("nobatch", headers, json, values)).read();

        assertThat(answer.headers()).containsEntry("Content-Encoding", coding);
        Map<String, String> plainHeaders = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        plainHeaders.putAll(answer.headers());
        assertThat(BinaryMessage.parts(new Answer(200, plainHeaders, unpacked(coding, answer.bytes())))
                        .bytes()
                        .get("y"))
                .isEqualTo(values);
    }

    @Test
    void shouldCompressMetrics() throws IOException {
        Answer answer = client.send("GET /metrics HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n")
                .read();

        assertThat(answer.headers()).containsEntry("Content-Encoding", "gzip");
        assertThat(new String(unpacked("gzip", answer.bytes()), StandardCharsets.UTF_8))
                .contains("millrace_");
    }
}
