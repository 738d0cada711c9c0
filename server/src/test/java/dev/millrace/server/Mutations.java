// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;

/// Request bodies with random damage, the same ones for the same seed.
public final class Mutations {
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

    private final SplittableRandom random;
    private String model;
    private byte[] body;

    public Mutations(long seed) {
        random = new SplittableRandom(seed);
    }

    /// Makes the next one.
    public void next() {
        int which = random.nextInt(BODIES.size());
        model = MODELS.get(which);
        body = mutate(BODIES.get(which).getBytes(StandardCharsets.UTF_8));
    }

    /// The model that it is for.
    public String model() {
        return model;
    }

    public byte[] body() {
        return body;
    }

    /// The body with random damage. It may be empty, before and after.
    byte[] damage(byte[] body) {
        return mutate(body);
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
