// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.RawClient.Answer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Valid bodies with random damage: each gets an answer, which is never the server's fault.
class MutationTest {
    private static final int ROUNDS = 6000;
    private static TestServer server;

    private final Mutations mutations = new Mutations(20_260);

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void shouldNeverFailOnDamagedBodies() {
        int good = 0;
        try (RawClient client = server.connect()) {
            for (int round = 0; round < ROUNDS; round++) {
                mutations.next();
                byte[] body = mutations.body();
                Answer answer = send(client, mutations.model(), body);
                good += answer.status() == 200 ? 1 : 0;
                assertThat(answer.status())
                        .as("%s to %s", new String(body, StandardCharsets.UTF_8), answer)
                        .isIn(200, 400, 413);
                JsonTree.parse(answer.body());
            }
        }
        assertThat(good).isBetween(1, ROUNDS - 1);
    }

    @Test
    void shouldNeverFailOnDamagedBytes() {
        SplittableRandom random = new SplittableRandom(7);
        int good = 0;
        try (RawClient client = server.connect()) {
            for (int round = 0; round < ROUNDS; round++) {
                boolean text = random.nextBoolean();
                byte[] blob = text ? BinaryMessage.hex("02000000616201000000ff") : BinaryMessage.floats(1, 2, 3, 4);
                String json = Bodies.with(
                        "'parameters':{'binary_data_output':true}",
                        Bodies.request(BinaryMessage.input(
                                text ? "text" : "x", text ? "[2,1]" : "[1,4]", text ? "BYTES" : "FP32", blob.length)));
                byte[] body = mutations.damage(BinaryMessage.concat(json.getBytes(StandardCharsets.UTF_8), blob));
                int length = json.length() + (random.nextInt(3) == 0 ? random.nextInt(-9, 9) : 0);
                String head = "POST /v2/models/" + (text ? "string_only" : "linear")
                        + "/infer HTTP/1.1\r\nInference-Header-Content-Length: " + length + "\r\nContent-Length: "
                        + body.length + "\r\n\r\n";
                Answer answer = client.send(head).send(body).read();
                good += answer.status() == 200 ? 1 : 0;
                assertThat(answer.status())
                        .as("%s to %s", new String(body, StandardCharsets.UTF_8), answer)
                        .isIn(200, 400, 413);
            }
        }
        assertThat(good).isBetween(1, ROUNDS - 1);
    }

    private static Answer send(RawClient client, String model, byte[] body) {
        String head = "POST /v2/models/" + model + "/infer HTTP/1.1\r\nContent-Length: " + body.length + "\r\n\r\n";
        return client.send(head).send(body).read();
    }
}
