// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.RawClient.Answer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Valid bodies with random damage: each gets an answer, which is never the server's fault.
class MutationTest {
    private static final int ROUNDS = 6000;
    private static final String[] TOKENS = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "null",
        "true",
        "NaN",
        "-Infinity",
        "1e999",
        "-1",
        "0",
        "18446744073709551615",
        "4611686018427387904",
        "\"data\"",
        "\"shape\"",
        "\"name\"",
        "\"datatype\"",
        "\"FP32\"",
        "\"BYTES\"",
        "[]",
        "[[]]",
        "{}",
        "\u0000",
        "\uFEFF",
        "\uFFFF",
        " "
    };
    private static final List<String> MODELS =
            List.of("two_in", "echo_int64", "string_only", "nobatch", "scalar", "maps");
    private static final List<String> BODIES = List.of(
            Bodies.with(
                    "'id':'é','parameters':{'timeout':60000000},'outputs':[{'name':'sum'}]",
                    Bodies.request(
                            Bodies.input("a", "[2,2]", "FP32", "[[1.5,-2e3],[3,4]]"),
                            Bodies.json("{'data':[5,6,7,8],'name':'b','shape':[2,2],'datatype':'FP32'}"))),
            Bodies.request(Bodies.input("in_INT64", "[1,2]", "INT64", "[-9223372036854775808,7]")),
            Bodies.request(Bodies.input("text", "[2,1]", "BYTES", "[\"a\\u00e9\\n\",\"😀\"]")),
            Bodies.request(Bodies.input("x", "[1,2,3]", "FP32", "[[[1,2,3],[4,5,6]]]")),
            Bodies.request(
                    Bodies.json("{'data':[0.1],'name':'factor','shape':[],'datatype':'FP32'}"),
                    Bodies.input("x", "[3]", "FP32", "[1,2,3]")),
            Bodies.request(Bodies.input("x", "[1,3]", "FP32", "[1,2,3]")));

    private static TestServer server;

    private final SplittableRandom random = new SplittableRandom(20_260);

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
                int which = random.nextInt(BODIES.size());
                byte[] body = mutate(BODIES.get(which).getBytes(StandardCharsets.UTF_8));
                Answer answer = send(client, MODELS.get(which), body);
                good += answer.status() == 200 ? 1 : 0;
                assertThat(answer.status())
                        .as("%s to %s", new String(body, StandardCharsets.UTF_8), answer)
                        .isIn(200, 400, 413);
                JsonTree.parse(answer.body());
            }
        }
        assertThat(good).isBetween(1, ROUNDS - 1);
    }

    private static Answer send(RawClient client, String model, byte[] body) {
        String head = "POST /v2/models/" + model + "/infer HTTP/1.1\r\nContent-Length: " + body.length + "\r\n\r\n";
        return client.send(head).send(body).read();
    }

    private byte[] mutate(byte[] body) {
        byte[] mutated = body;
        for (int times = random.nextInt(1, 4); times > 0; times--) {
            int at = random.nextInt(mutated.length + 1);
            int end = Math.min(mutated.length, at + random.nextInt(1, 12));
            mutated = switch (random.nextInt(5)) {
                case 0 -> splice(mutated, at, at, TOKENS[random.nextInt(TOKENS.length)]);
                case 1 -> splice(mutated, at, end, TOKENS[random.nextInt(TOKENS.length)]);
                case 2 -> splice(mutated, at, end, "");
                case 3 -> splice(mutated, at, mutated.length, "");
                default -> flip(mutated, at);
            };
        }
        return mutated;
    }

    private byte[] flip(byte[] body, int at) {
        byte[] flipped = body.clone();
        if (at < flipped.length) {
            flipped[at] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
    }

    private static byte[] splice(byte[] body, int from, int to, String middle) {
        byte[] inserted = middle.getBytes(StandardCharsets.UTF_8);
        byte[] spliced = new byte[from + inserted.length + body.length - to];
        System.arraycopy(body, 0, spliced, 0, from);
        System.arraycopy(inserted, 0, spliced, from, inserted.length);
        System.arraycopy(body, to, spliced, from + inserted.length, body.length - to);
        return spliced;
    }
}
