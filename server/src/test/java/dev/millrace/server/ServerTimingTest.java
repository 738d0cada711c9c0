// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.server.TestServer.Reply;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ServerTimingTest {
    private static final Pattern ENTRY = Pattern.compile("(\\w+);dur=(\\d+\\.\\d{6})(?:;desc=\"([^\"]*)\")?");
    private static final String PATH = "/v2/models/linear/infer";

    private TestServer server = TestServer.start();

    @AfterEach
    void stop() {
        server.close();
    }

    private Reply ask(String body, String header) {
        var request = server.request(PATH).POST(BodyPublishers.ofString(body));
        return server.send(header == null ? request : request.header("X-Millrace-Timing", header));
    }

    private static Optional<String> timing(Reply reply) {
        return reply.response().headers().firstValue("Server-Timing");
    }

    private static void assertTiming(Reply reply, String batch) {
        assertThat(reply.status()).isEqualTo(200);
        Map<String, Double> millis = new LinkedHashMap<>();
        double parts = 0;
        for (String entry : timing(reply).orElseThrow().split(", ")) {
            Matcher matcher = ENTRY.matcher(entry);
            assertThat(matcher.matches()).as(entry).isTrue();
            double duration = Double.parseDouble(matcher.group(2));
            millis.put(matcher.group(1), duration);
            parts += matcher.group(1).equals("total") ? 0 : duration;
            assertThat(matcher.group(3)).as(entry).isEqualTo(matcher.group(1).equals("run") ? batch : null);
        }
        assertThat(millis).containsOnlyKeys("decode", "assemble", "queue", "run", "deliver", "encode", "total");
        assertThat(millis.get("total")).isPositive().isCloseTo(parts, within(1e-5));
        assertThat(millis.get("run")).isPositive();
    }

    @Test
    void shouldTellWhereTheTimeWentWhenAsked() {
        Reply reply = ask(Bodies.LINEAR, "1");

        assertTiming(reply, "batch 1");
        assertThat(reply.data()).isEqualTo("30.5,0.5");
    }

    @Test
    void shouldTellTheSizeOfTheBatch() {
        Reply reply = ask(Bodies.request(Bodies.input("x", "[3,4]", "FP32", "[1,2,3,4,5,6,7,8,9,10,11,12]")), "1");

        assertTiming(reply, "batch 3");
    }

    /// A head that is the same as the last one is not parsed again, and means the same.
    @Test
    void shouldTellEveryTimeWhenTheSameRequestComesAgain() {
        String asks = RawClient.post(PATH, Bodies.LINEAR, "x-millrace-timing: 1\r\n");
        String asksNot = RawClient.post(PATH, Bodies.LINEAR);
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(asks).read().headers()).containsKey("Server-Timing");
            }
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(asksNot).read().headers()).doesNotContainKey("Server-Timing");
            }
        }
    }

    @Test
    void shouldTellNothingWhenNotAsked() {
        assertThat(timing(ask(Bodies.LINEAR, null))).isEmpty();
        assertThat(timing(ask(Bodies.LINEAR, "0"))).isEmpty();
    }

    @Test
    void shouldTellNothingWhenThereIsNoAnswer() {
        Reply reply = ask(Bodies.request(Bodies.input("x", "[0,4]", "FP32", "[]")), "1");

        assertThat(reply.status()).isEqualTo(400);
        assertThat(timing(reply)).isEmpty();
    }

    @Test
    void shouldRefuseWhatIsNeitherYesNorNo() {
        Reply reply = ask(Bodies.LINEAR, "yes");

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.error()).isEqualTo("header x-millrace-timing is 'yes', expected 0 or 1");
    }

    @Test
    void shouldTellWhenAskedAlthoughNothingIsRecorded() {
        server.close();
        server = TestServer.start(config -> config.withRuntime(config.runtime().withRecording(false)));

        assertTiming(ask(Bodies.LINEAR, "1"), "batch 1");
    }
}
