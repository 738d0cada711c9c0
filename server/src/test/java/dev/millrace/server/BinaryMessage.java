// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.RawClient.Answer;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/// Inference requests whose tensors are bytes behind the JSON, and their answers taken apart.
final class BinaryMessage {
    private static final HexFormat HEX = HexFormat.of();

    private BinaryMessage() {}

    /// An answer's JSON and, by the names of outputs, the bytes of those that came as bytes.
    record Parts(JsonTree json, Map<String, byte[]> bytes) {}

    /// An input of a request, whose elements come behind the JSON.
    static String input(String name, String shape, String datatype, int bytes) {
        return Bodies.json("{'name':'" + name + "','shape':" + shape + ",'datatype':'" + datatype
                + "','parameters':{'binary_data_size':" + bytes + "}}");
    }

    /// A whole request.
    ///
    /// @param model the rest of the path behind `/v2/models/` up to `/infer`
    static byte[] request(String model, String json, byte[]... blobs) {
        return request(
                model,
                "Inference-Header-Content-Length: " + json.getBytes(StandardCharsets.UTF_8).length + "\r\n",
                json,
                blobs);
    }

    /// A whole request with these headers.
    static byte[] request(String model, String headers, String json, byte[]... blobs) {
        byte[] body = concat(json.getBytes(StandardCharsets.UTF_8), concat(blobs));
        String head = "POST /v2/models/" + model + "/infer HTTP/1.1\r\nHost: test\r\n" + headers + "Content-Length: "
                + body.length + "\r\n\r\n";
        return concat(head.getBytes(StandardCharsets.US_ASCII), body);
    }

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    static byte[] hex(String digits) {
        return HEX.parseHex(digits.replace(" ", ""));
    }

    static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.array();
    }

    /// Strings as the protocol has them: each behind its length.
    static byte[] strings(byte[]... values) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] value : values) {
            all.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value.length)
                    .array());
            all.writeBytes(value);
        }
        return all.toByteArray();
    }

    /// Takes an answer with bytes apart, and checks that lengths and headers say the same.
    static Parts parts(Answer answer) {
        assertThat(answer.status()).as("%s", answer).isEqualTo(200);
        assertThat(answer.headers()).containsEntry("Content-Type", "application/octet-stream");
        int length = Integer.parseInt(answer.headers().get("Inference-Header-Content-Length"));
        JsonTree json = JsonTree.parse(new String(answer.bytes(), 0, length, StandardCharsets.UTF_8));
        Map<String, byte[]> bytes = new LinkedHashMap<>();
        int at = length;
        for (JsonTree output : json.get("outputs").elements()) {
            if (!output.has("data")) {
                String size = output.get("parameters").get("binary_data_size").toString();
                int end = at + Integer.parseInt(size);
                bytes.put(output.get("name").text(), Arrays.copyOfRange(answer.bytes(), at, end));
                at = end;
            }
        }
        assertThat(at).as("bytes of %s", json).isEqualTo(answer.bytes().length);
        return new Parts(json, bytes);
    }
}
