// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.server.RawClient.Answer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Requests with the same head take a shorter way. Nobody may notice.
class RepeatedRequestsTest {
    private static final int ROUNDS = 300;
    private static final String PATH = "/v2/models/linear/infer";
    private static final List<String> HEADS =
            List.of("", "", "", "", "X-Trace: 1\r\n", "X-Trace: 2\r\n", "Accept: */*\r\n");

    private static TestServer server;

    private final SplittableRandom random = new SplittableRandom(11);

    /// What is sent, and what has to come back.
    private record Step(byte[] bytes, int status, String fragment) {}

    @BeforeAll
    static void start() {
        server = TestServer.start(config -> config.withLimit(Limit.MAX_BODY_BYTES, 1000));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String body(int number, String more) {
        return Bodies.with("'id':'" + number + "'" + more, Bodies.LINEAR);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Step step(int number) {
        String id = "\"id\":\"" + number + "\"";
        String body = body(number, ",'x':'" + "y".repeat(random.nextInt(40)) + "'");
        String headers = HEADS.get(random.nextInt(HEADS.size()));
        return switch (random.nextInt(12)) {
            case 0 -> new Step(bytes(RawClient.get("/v2/models/linear")), 200, "\"platform\"");
            case 1 -> new Step(bytes(RawClient.post(PATH, "{}", headers)), 400, "missing");
            case 2 -> new Step(bytes(RawClient.post("/v2/models/none/infer", body, headers)), 404, "none");
            case 3 -> new Step(chunked(body), 200, id);
            case 4 -> new Step(bytes("\r\n" + RawClient.post(PATH, body, headers)), 200, id);
            case 5 -> new Step(bytes(RawClient.post(PATH, body, "X-Millrace-Timeout-Us: 0\r\n")), 200, id);
            case 6 -> new Step(bytes(RawClient.post(PATH, body, "Content-Encoding: gzip\r\n")), 400, "gzip");
            default -> new Step(bytes(RawClient.post(PATH, body, headers)), 200, id);
        };
    }

    private static byte[] chunked(String body) {
        return bytes("POST " + PATH + " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n");
    }

    @Test
    void shouldAnswerEveryRequestHoweverTheBytesCome() {
        int number = 0;
        for (int round = 0; round < ROUNDS; round++) {
            try (RawClient client = server.connect()) {
                for (int burst = 0; burst < 4; burst++) {
                    List<Step> steps = new ArrayList<>();
                    for (int count = random.nextInt(1, 6); count > 0; count--) {
                        steps.add(step(number++));
                    }
                    send(client, steps);
                    for (Step step : steps) {
                        Answer answer = client.read();
                        assertThat(answer.status()).as("%s", answer).isEqualTo(step.status());
                        assertThat(answer.body()).contains(step.fragment());
                    }
                }
            }
        }
    }

    /// All together, one by one, or in pieces of any size.
    private void send(RawClient client, List<Step> steps) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        steps.forEach(step -> all.writeBytes(step.bytes()));
        byte[] bytes = all.toByteArray();
        switch (random.nextInt(3)) {
            case 0 -> client.send(bytes);
            case 1 -> steps.forEach(step -> client.send(step.bytes()));
            default -> {
                int from = 0;
                while (from < bytes.length) {
                    int to = Math.min(bytes.length, from + random.nextInt(1, 400));
                    client.send(Arrays.copyOfRange(bytes, from, to));
                    from = to;
                }
            }
        }
    }

    @Test
    void shouldNotTakeHeaderLinesForARequest() {
        // The first line of a request, and then what would be a request if it stood alone: a header without a colon.
        try (RawClient client = server.connect()) {
            String request = RawClient.post(PATH, body(1, ""));
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(request).read().status()).isEqualTo(200);
            }
            client.send("GET /v2/health/live HTTP/1.1\r\n");
            // The server has to have seen the line by itself: what another connection asks later is answered later.
            for (int i = 0; i < 20; i++) {
                assertThat(server.get("/v2/health/live").status()).isEqualTo(200);
            }
            Answer answer = client.send(request).read();

            assertThat(answer.body()).doesNotContain("linear");
            assertThat(answer.status()).isNotEqualTo(500);
        }
    }

    @Test
    void shouldRefuseALargeBodyAfterSmallOnes() {
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(RawClient.post(PATH, body(i, ""))).read().status())
                        .isEqualTo(200);
            }
            String large = body(4, ",'x':'" + "y".repeat(2000) + "'");

            assertThat(client.send(RawClient.post(PATH, large)).read().status()).isEqualTo(413);
        }
    }
}
