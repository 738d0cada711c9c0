// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import dev.millrace.bench.decode.Document;
import dev.millrace.bench.model.BenchModels;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// A request over HTTP: what it asks, and its body as bytes, which nobody changes.
///
/// @param path what is asked
/// @param headers without those that say where and how long
public record Post(String path, Map<String, String> headers, byte[] body) {
    private static final String JSON_LENGTH = "Inference-Header-Content-Length";

    /// A body of JSON.
    public static Post json(String path, String body) {
        return new Post(path, Map.of("Content-Type", "application/json"), body.getBytes(StandardCharsets.UTF_8));
    }

    /// Rows of a model of [BenchModels] as JSON.
    public static Post json(String path, float[] rows, int width) {
        return json(path, Document.request(BenchModels.INPUT, shape(rows, width), rows));
    }

    /// The same with the rows' bytes behind the JSON, and the answer asked for in the same way.
    public static Post binary(String path, float[] rows, int width) {
        int bytes = rows.length * Float.BYTES;
        String json = "{\"inputs\":[{\"name\":\"" + BenchModels.INPUT + "\",\"shape\":" + shape(rows, width)
                + ",\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":" + bytes
                + "}}],\"parameters\":{\"binary_data_output\":true}}";
        ByteBuffer body = ByteBuffer.allocate(json.length() + bytes).order(ByteOrder.LITTLE_ENDIAN);
        body.put(json.getBytes(StandardCharsets.UTF_8));
        for (float value : rows) {
            body.putFloat(value);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", "application/octet-stream");
        headers.put(JSON_LENGTH, Integer.toString(json.length()));
        return new Post(path, headers, body.array());
    }

    private static String shape(float[] rows, int width) {
        return "[" + rows.length / width + "," + width + "]";
    }

    /// The whole request in HTTP/1.1.
    byte[] wire() {
        StringBuilder head = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        head.append("Content-Length: ").append(body.length).append("\r\n\r\n");
        ByteArrayOutputStream wire = new ByteArrayOutputStream();
        wire.writeBytes(head.toString().getBytes(StandardCharsets.UTF_8));
        wire.writeBytes(body);
        return wire.toByteArray();
    }
}
