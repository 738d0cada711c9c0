// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.model.OnnxGraph;
import dev.millrace.memory.DataType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A model that doubles as many numbers as it is given, so that a request can be of any size; its input and its answer
/// are binary, so that numbers cost memory and hardly any time. Stateless.
final class WholeModel {
    static final String NAME = "double";

    private WholeModel() {}

    static void writeInto(Path repository) throws IOException {
        byte[] onnx = new OnnxGraph(NAME)
                .input("x", DataType.FP32, -1, -2)
                .output("y", DataType.FP32, -1, -2)
                .weights("two", new float[] {2}, 1)
                .node("Mul", "y", List.of("x", "two"))
                .bytes();
        new BenchModels.BenchModel(NAME, onnx).writeInto(repository);
    }

    /// Where it is asked.
    static String path() {
        return "/v2/models/" + NAME + "/infer";
    }

    /// The part of a body that is JSON.
    static String json(int numbers) {
        return String.format(
                Locale.ROOT,
                "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,%d],\"parameters\":"
                        + "{\"binary_data_size\":%d}}],\"parameters\":{\"binary_data_output\":true}}",
                numbers,
                (long) Float.BYTES * numbers);
    }

    /// A body of zeros.
    static byte[] body(int numbers) {
        byte[] json = json(numbers).getBytes(StandardCharsets.US_ASCII);
        return Arrays.copyOf(json, Math.addExact(json.length, Math.multiplyExact(Float.BYTES, numbers)));
    }

    /// A whole request, head and body.
    static byte[] request(int numbers) {
        byte[] body = body(numbers);
        byte[] head = ("POST " + path() + " HTTP/1.1\r\nHost: localhost\r\nInference-Header-Content-Length: "
                        + json(numbers).length() + "\r\nContent-Length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        return request;
    }
}
