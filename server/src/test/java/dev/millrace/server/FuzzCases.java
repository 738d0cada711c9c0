// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;

/// Requests that nobody would send, the same ones for the same seed: good bodies with damage, bodies put together from
/// parts that do not fit, tensors as bytes with wrong lengths, and heads with damage. Threads: one.
final class FuzzCases {
    private static final String[] NAMES = {"in_FP32", "in_INT64", "x", "a", "b", "text", "rounds", "", "é\\u0000", "y"};
    /// Models of one input: the model, the input, its datatype, a shape and data that it takes.
    private static final String[][] MODELS = {
        {"echo_fp32", "in_FP32", "FP32", "[1,2]", "[0.1,-2e3]"},
        {"echo_int64", "in_INT64", "INT64", "[2,2]", "[[-9223372036854775808,7],[0,1]]"},
        {"echo_fp16", "in_FP16", "FP16", "[1,2]", "[[1,NaN]]"},
        {"echo_bool", "in_BOOL", "BOOL", "[1,2]", "[true,false]"},
        {"echo_uint64", "in_UINT64", "UINT64", "[1,2]", "[18446744073709551615,0]"},
        {"echo_bf16", "in_BF16", "BF16", "[1,2]", "[1.5,-Infinity]"},
        {"string_only", "text", "BYTES", "[2,1]", "[\"\\ud83d\\ude00\",\"\"]"},
        {"nobatch", "x", "FP32", "[1,2,0]", "[]"},
        {"one_row", "x", "FP32", "[1,3]", "[1,2,3]"},
        {"linear", "x", "FP32", "[1,4]", "[[1,2,3,4]]"},
        {"maps", "x", "FP32", "[2,3]", "[1,2,3,4,5,6]"},
        {"two_in", "a", "FP32", "[1,2]", "[1,2]"}
    };
    private static final String[] DATATYPES = {
        "BOOL", "UINT8", "UINT64", "INT8", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES", "FP99", "fp32", ""
    };
    private static final String[] DIMENSIONS = {
        "0",
        "1",
        "2",
        "3",
        "4",
        "-1",
        "1.0",
        "2147483648",
        "4611686018427387904",
        "9223372036854775807",
        "18446744073709551616",
        "1e2",
        "\"2\"",
        "null",
        "[1]"
    };
    private static final String[] SCALARS = {
        "0",
        "1",
        "-1",
        "1.5",
        "1e-46",
        "1e39",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\\ud83d\"",
        "\"\\ud83d\\ude00\"",
        "256",
        "-129",
        "65536",
        "9223372036854775808",
        "18446744073709551615",
        "0.1000000000000000055511151231257827",
        "{}",
        "00",
        "-"
    };
    private static final String[] PARAMETERS = {
        "\"binary_data_size\":8",
        "\"binary_data_size\":-1",
        "\"binary_data_size\":9223372036854775807",
        "\"binary_data_size\":0",
        "\"binary_data\":true",
        "\"binary_data_output\":true",
        "\"classification\":2",
        "\"classification\":-1",
        "\"classification\":2147483647",
        "\"priority\":1",
        "\"sequence_id\":1",
        "\"shared_memory_region\":\"r\"",
        "\"other\":[1,{}]",
        "\"other\":1"
    };
    private static final String[] HEAD_TOKENS = {
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        ":",
        "\0",
        "/",
        "%",
        "%00",
        "%zz",
        "//",
        "?",
        "#",
        "HTTP/1.0",
        "HTTP/2.0",
        "HTTP/9",
        "GET",
        "PUT",
        "Content-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Expect: 100-continue\r\n",
        "Expect: x\r\n",
        "Connection: close\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: x\r\n",
        "Accept-Encoding: gzip\r\n",
        "Inference-Header-Content-Length: 9\r\n",
        "Inference-Header-Content-Length: 0\r\n",
        "Inference-Header-Content-Length: x\r\n",
        "Host: a\r\nHost: b\r\n",
        "x".repeat(9000),
        "x: y\r\n".repeat(120),
        "é",
        "versions/",
        "1",
        "99999999999999999999"
    };
    /// Raw values, and what they may be.
    private static final String[][] VALUES = {
        {"ratio", "0.5", "null", "-3"},
        {"country", "\"CH\"", "\"\\u00e9\"", "null", "\"\""},
        {"items", "3", "null", "-2147483648"},
        {"web", "true", "false", "null"},
        {"seen", "1767225600000000", "null", "-1"}
    };
    private static final String[] FEATURES = {"\"stats:a\"", "\"stats:b\"", "\"stats:c\"", "\"other:a\"", "\":\""};
    private static final String[] REPORTS = {"true", "true", "false", "null", "1"};
    private static final int BREAKS = 5;

    private final SplittableRandom random;
    private final Mutations mutations;

    FuzzCases(long seed) {
        random = new SplittableRandom(seed);
        mutations = new Mutations(seed);
    }

    /// A request whose body is damaged and whose head is right, so that the next one can follow it.
    byte[] body() {
        return switch (random.nextInt(8)) {
            case 0, 1 -> damaged();
            case 2, 3 -> structured();
            case 4 -> binary();
            case 5 -> values();
            case 6 -> features();
            default -> compressed();
        };
    }

    /// A request whose head or chunks are damaged; whatever comes after it is lost.
    byte[] head() {
        if (random.nextInt(4) == 0) {
            return chunked();
        }
        String body = Bodies.LINEAR;
        String text = "POST /v2/models/linear/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        for (int times = random.nextInt(1, 4); times > 0; times--) {
            int at = random.nextInt(Math.max(1, text.length() - body.length()));
            int end = Math.min(text.length(), at + random.nextInt(10));
            text = text.substring(0, at) + (random.nextInt(4) == 0 ? "" : any(HEAD_TOKENS)) + text.substring(end);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private String any(String[] of) {
        return of[random.nextInt(of.length)];
    }

    /// Raw values by name, most of them good.
    private byte[] values() {
        StringBuilder body = new StringBuilder("{");
        if (random.nextBoolean()) {
            body.append("\"context\":").append(object()).append(',');
        }
        body.append(random.nextInt(20) == 0 ? "\"inputs\":" : "\"instances\":").append('[');
        for (int i = random.nextInt(4); i >= 0; i--) {
            body.append(random.nextInt(30) == 0 ? any(SCALARS) : object()).append(i > 0 ? "," : "");
        }
        body.append(']').append(random.nextInt(3) == 0 ? ",\"reports\":" + any(REPORTS) : "");
        if (random.nextInt(30) > 0) {
            body.append('}');
        }
        return post("/v1/models/" + RawModel.NAME + ":predict", body.toString().getBytes(StandardCharsets.UTF_8), "");
    }

    /// Stored features without a model, most of them there.
    private byte[] features() {
        StringBuilder body = new StringBuilder("{\"features\":[");
        for (int i = random.nextInt(3); i >= 0; i--) {
            body.append(random.nextInt(9) == 0 ? any(SCALARS) : any(FEATURES)).append(i > 0 ? "," : "");
        }
        body.append("],\"entities\":{\"user\":[");
        for (int i = random.nextInt(4); i >= 0; i--) {
            body.append(random.nextInt(9) == 0 ? any(SCALARS) : "1").append(i > 0 ? "," : "");
        }
        body.append(random.nextInt(9) == 0 ? "],\"x\":[1" : "");
        body.append("]}").append(random.nextInt(3) == 0 ? ",\"full_feature_names\":" + any(REPORTS) : "");
        if (random.nextInt(30) > 0) {
            body.append('}');
        }
        return post("/get-online-features", body.toString().getBytes(StandardCharsets.UTF_8), "");
    }

    private String object() {
        StringBuilder object = new StringBuilder("{\"amount\":").append(random.nextInt(1_000));
        for (int i = random.nextInt(4); i > 0; i--) {
            String[] field = VALUES[random.nextInt(VALUES.length)];
            object.append(",\"").append(field[0]).append("\":");
            object.append(random.nextInt(20) == 0 ? any(SCALARS) : field[1 + random.nextInt(field.length - 1)]);
        }
        return object.append(random.nextInt(60) == 0 ? "" : "}").toString();
    }

    private static byte[] request(String model, byte[] body, String headers) {
        return post("/v2/models/" + model + "/infer", body, headers);
    }

    private static byte[] post(String path, byte[] body, String headers) {
        String head = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "Content-Length: " + body.length
                + "\r\n\r\n";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
        bytes.writeBytes(body);
        return bytes.toByteArray();
    }

    private byte[] damaged() {
        mutations.next();
        return request(mutations.model(), mutations.body(), "");
    }

    private byte[] compressed() {
        mutations.next();
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(mutations.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        byte[] body = packed.toByteArray();
        if (random.nextBoolean()) {
            body = mutations.damage(body);
        }
        return request(mutations.model(), body, "Content-Encoding: gzip\r\n");
    }

    // ---- from parts ----

    private byte[] structured() {
        String[] model = MODELS[random.nextInt(MODELS.length)];
        StringBuilder json = new StringBuilder("{");
        if (random.nextInt(6) == 0) {
            json.append("\"id\":").append(any(SCALARS)).append(',');
        }
        if (random.nextInt(4) == 0) {
            json.append("\"parameters\":").append(parameters()).append(',');
        }
        if (random.nextInt(8) == 0) {
            json.append("\"outputs\":[{\"name\":\"")
                    .append(any(NAMES))
                    .append("\",\"parameters\":")
                    .append(parameters())
                    .append("}],");
        }
        json.append("\"inputs\":[");
        for (int count = random.nextInt(8) == 0 ? random.nextInt(4) : 1; count > 0; count--) {
            json.append(input(model)).append(count > 1 ? "," : "");
        }
        return request(model[0], json.append("]}").toString().getBytes(StandardCharsets.UTF_8), "");
    }

    private String parameters() {
        StringBuilder json = new StringBuilder("{");
        for (int count = random.nextInt(3); count > 0; count--) {
            json.append(any(PARAMETERS)).append(count > 1 ? "," : "");
        }
        return json.append('}').toString();
    }

    /// Each part is right, most of the time.
    private String input(String[] model) {
        String[] members = {
            "\"name\":\"" + (isRight() ? model[1] : any(NAMES)) + "\"",
            "\"datatype\":\"" + (isRight() ? model[2] : any(DATATYPES)) + "\"",
            "\"shape\":" + (isRight() ? model[3] : list(DIMENSIONS, 0)),
            "\"data\":" + (isRight() ? model[4] : list(SCALARS, 2)),
            "\"parameters\":" + (isRight() ? "{}" : parameters())
        };
        StringBuilder json = new StringBuilder("{");
        int first = random.nextInt(members.length);
        int count = isRight() ? members.length : members.length - 1;
        for (int i = 0; i < count; i++) {
            json.append(i == 0 ? "" : ",").append(members[(first + i) % members.length]);
        }
        return json.append('}').toString();
    }

    private boolean isRight() {
        return random.nextInt(6) > 0;
    }

    private String list(String[] of, int depth) {
        StringBuilder json = new StringBuilder("[");
        for (int count = random.nextInt(5); count > 0; count--) {
            json.append(depth > 0 && random.nextInt(3) == 0 ? list(of, depth - 1) : any(of))
                    .append(count > 1 ? "," : "");
        }
        return json.append(']').toString();
    }

    // ---- tensors as bytes ----

    private byte[] binary() {
        boolean strings = random.nextInt(3) == 0;
        byte[] tail = strings
                ? strings()
                : ByteBuffer.allocate(16)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putFloat(1)
                        .putFloat(Float.NaN)
                        .putFloat(-0f)
                        .putFloat(1e-45f)
                        .array();
        String json = "{\"inputs\":[{\"name\":\"" + (strings ? "text" : "in_FP32") + "\",\"shape\":[2,"
                + (strings ? 1 : 2) + "],\"datatype\":\"" + (strings ? "BYTES" : "FP32")
                + "\",\"parameters\":{\"binary_data_size\":" + size(tail.length) + "}}]"
                + (random.nextBoolean() ? ",\"parameters\":{\"binary_data_output\":true}" : "") + "}";
        byte[] head = json.getBytes(StandardCharsets.UTF_8);
        if (random.nextInt(4) == 0) {
            head = mutations.damage(head);
        }
        if (random.nextInt(3) == 0) {
            tail = mutations.damage(tail);
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(head);
        body.writeBytes(tail);
        return request(
                strings ? "string_only" : "echo_fp32",
                body.toByteArray(),
                "Inference-Header-Content-Length: " + size(head.length) + "\r\n");
    }

    private byte[] strings() {
        return ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(3)
                .put(new byte[] {'a', 0, (byte) 0xFF})
                .putInt(random.nextInt(8) == 0 ? random.nextInt() : 1)
                .put((byte) 'b')
                .array();
    }

    /// The right size, most of the time.
    private String size(int right) {
        return switch (random.nextInt(12)) {
            case 0 -> Integer.toString(right + random.nextInt(-3, 4));
            case 1 -> Long.toString(random.nextLong());
            case 2 -> "0";
            default -> Integer.toString(right);
        };
    }

    // ---- chunks ----

    private byte[] chunked() {
        StringBuilder text = new StringBuilder(
                "POST /v2/models/linear/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        String body = Bodies.LINEAR;
        for (int at = 0; at < body.length(); ) {
            int count = Math.min(body.length() - at, random.nextInt(1, 40));
            String size = random.nextInt(BREAKS) > 0
                    ? Integer.toHexString(count)
                    : any(new String[] {"0", "-1", "zz", "FFFFFFFF", "7fffffffffffffff", "1;a=b", "", "5 "});
            text.append(size).append("\r\n").append(body, at, at + count).append(random.nextInt(20) == 0 ? "" : "\r\n");
            at += count;
        }
        text.append(any(new String[] {"0\r\n\r\n", "0\r\n", "0\r\nx: y\r\n\r\n", ""}));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
