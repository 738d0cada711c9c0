// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.RawClient.Answer;
import dev.millrace.server.TestServer.Reply;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What SageMaker asks of a container with one model.
class InvocationsTest {
    @TempDir
    static Path repository;

    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        Path version = Files.createDirectories(repository.resolve("linear/1"));
        Files.copy(TestServer.models().resolve("linear/1/model.onnx"), version.resolve("model.onnx"));
        server = TestServer.start(_ -> ServerConfig.of(repository).withPort(0));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void shouldAnswerPings() {
        assertThat(server.get("/ping").status()).isEqualTo(200);
        assertThat(server.post("/ping", "").status()).isEqualTo(405);
    }

    @Test
    void shouldTellRequestsOfBothVersionsApart() {
        assertThat(server.post("/invocations", Bodies.LINEAR).data()).isEqualTo("30.5,0.5");
        assertThat(server.post("/invocations", Bodies.json("{'instances':[[1,2,3,4]]}"))
                        .body())
                .isEqualTo(Bodies.json("{'predictions':[[30.5,0.5]]}"));
        assertThat(server.post("/invocations", Bodies.json("{'inputs':[[1,2,3,4]]}"))
                        .body())
                .isEqualTo(Bodies.json("{'outputs':[[30.5,0.5]]}"));
        assertThat(server.post("/invocations", Bodies.json("{'id':'a','inputs':{'x':[[1,2,3,4]]}}"))
                        .body())
                .isEqualTo(Bodies.json("{'outputs':[[30.5,0.5]]}"));
    }

    @Test
    void shouldTakeBytesBehindTheJson() {
        String json = Bodies.with(
                "'parameters':{'binary_data_output':true}",
                Bodies.request(BinaryMessage.input("x", "[1,4]", "FP32", 16)));
        String head = "POST /invocations HTTP/1.1\r\nInference-Header-Content-Length: " + json.length()
                + "\r\nContent-Length: " + (json.length() + 16) + "\r\n\r\n";
        try (RawClient client = server.connect()) {
            Answer answer = client.send(head)
                    .send(json)
                    .send(BinaryMessage.floats(1, 2, 3, 4))
                    .read();
            assertThat(BinaryMessage.parts(answer).bytes().get("y")).isEqualTo(BinaryMessage.floats(30.5f, 0.5f));
        }
    }

    @Test
    void shouldSayWhatIsWrong() {
        assertThat(server.post("/invocations", "{").status()).isEqualTo(400);
        assertThat(server.post("/invocations", "[1]").error()).contains("expected a JSON object");
        assertThat(server.post("/invocations", "{}").error()).contains("missing");
        assertThat(server.get("/invocations").status()).isEqualTo(405);
    }

    static Reply csv(TestServer to, String body, String... headers) {
        HttpRequest.Builder request = to.request("/invocations").header("Content-Type", "text/csv");
        if (headers.length > 0) {
            request.headers(headers);
        }
        return to.send(request.POST(BodyPublishers.ofString(body)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1,2,3,4\n5,6,7,8\n", "1,2,3,4\r\n5,6,7,8", "\uFEFF1.0, 2e0 ,\t\"3\",+4.\n5,6,.7e1,8\n\n"})
    void shouldAnswerLinesByLines(String body) {
        Reply reply = csv(server, body);

        assertThat(reply.body()).isEqualTo("30.5,0.5\n70.5,-0.5\n");
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.response().headers().firstValue("content-type")).contains("text/csv; charset=utf-8");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "text/csv | false",
                "*/* | false",
                "application/json | true",
                "application/json, text/csv | true",
                "text/csv;q=0.9, application/json | false",
                "APPLICATION/JSON; charset=utf-8 | true",
                "image/png | false"
            })
    void shouldAnswerLinesAsIsAccepted(String accepted, boolean json) {
        Reply reply = csv(server, "1,2,3,4", "Accept", accepted, "X-Amzn-SageMaker-Custom-Attributes", "a");

        assertThat(reply.body()).isEqualTo(json ? "{\"predictions\":[[30.5,0.5]]}" : "30.5,0.5\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "1,2,3,4;1,x,3,4 | line 2, column 2 is 'x', expected a number",
                "1,2,3,4;1,2,3 | line 2 has 3 columns, expected 4",
                "1,2,3,4,5 | line 1 has 5 columns, expected 4",
                "a,b,c,d;1,2,3,4 | line 1, column 1 is 'a', expected a number",
                "1,2,,4 | line 1, column 3 is empty, expected a number",
                "1,2,3,4;;1,2,3,4 | line 2 has 1 columns, expected 4",
                "1,2,3,1e39 | line 1, column 4 is 1e39, which is out of the range of FP32",
                "1,2,3,1f | line 1, column 4 is '1f', expected a number",
                "1,2,3,0x1p3 | line 1, column 4 is '0x1p3', expected a number",
                "1,2,3,\"4 | line 1, column 4 is '\"4', expected a number",
                "`` | the body is empty, expected lines of numbers",
                "; | the body is empty, expected lines of numbers"
            })
    void shouldNameTheLineAndTheColumnOfAMistake(String lines, String message) {
        Reply reply = csv(server, lines.replace(';', '\n'));

        assertThat(reply.error()).isEqualTo(message);
        assertThat(reply.status()).isEqualTo(400);
    }
}
