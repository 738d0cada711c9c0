// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/// A server's answer, and what a client reads in it. What is not as it should be is an [Unmet].
///
/// @param message as it came
record Answer(Message message) {
    private static final int SHOWN = 160;
    /// The header that tells the length of the JSON before binary tensors.
    static final String JSON_LENGTH = "Inference-Header-Content-Length";

    int status() {
        return message.status();
    }

    String header(String name) {
        return message.headers().get(name);
    }

    /// The body, decompressed if it is compressed.
    byte[] body() {
        String coding = header("Content-Encoding");
        if (coding == null || coding.equalsIgnoreCase("identity")) {
            return message.body();
        }
        InputStream packed = new ByteArrayInputStream(message.body());
        try (InputStream body = switch (coding.toLowerCase(Locale.ROOT)) {
            case "gzip" -> new GZIPInputStream(packed);
            case "deflate" -> new InflaterInputStream(packed);
            default -> throw Unmet.because("Content-Encoding is '" + coding + "', expected gzip or deflate");
        }) {
            return body.readAllBytes();
        } catch (IOException e) {
            throw Unmet.because("the body is not " + coding + ": " + e.getMessage());
        }
    }

    Json json() {
        return Json.parse(body());
    }

    /// Wants success.
    Answer ok() {
        if (status() != 200) {
            throw Unmet.because("expected 200, came " + status());
        }
        return this;
    }

    /// Wants a refusal that is the request's fault and says why.
    ///
    /// @param statuses those that are expected
    /// @return null, or a note if it is another one of 400 to 499
    String refused(Integer... statuses) {
        int status = status();
        if (status < 400) {
            throw Unmet.because("expected a refusal, came " + status);
        }
        if (status >= 500) {
            throw Unmet.because("expected a status from 400 to 499, came " + status);
        }
        String error = json().get("error").text();
        if (error.isBlank()) {
            throw Unmet.because("'error' is empty");
        }
        List<Integer> expected = statuses.length == 0 ? List.of(400) : List.of(statuses);
        return expected.contains(status) ? null : status + " in place of " + expected.getFirst();
    }

    /// The JSON of an answer to an inference request, whatever comes after it.
    Json response() {
        ok();
        byte[] body = body();
        int length = jsonLength(body);
        return Json.parse(java.util.Arrays.copyOf(body, length));
    }

    private int jsonLength(byte[] body) {
        String length = header(JSON_LENGTH);
        if (length == null) {
            return body.length;
        }
        if (!length.matches("\\d{1,9}") || Integer.parseInt(length) > body.length) {
            throw Unmet.because(JSON_LENGTH + " is '" + length + "', with a body of " + body.length + " bytes");
        }
        return Integer.parseInt(length);
    }

    /// All outputs, from JSON or bytes.
    List<WireTensor> outputs() {
        Json response = response();
        byte[] body = body();
        int at = jsonLength(body);
        List<WireTensor> outputs = new ArrayList<>();
        for (Json output : response.get("outputs").elements()) {
            if (isBinary(output)) {
                int size = Math.toIntExact(
                        output.get("parameters").get("binary_data_size").number());
                if (size < 0 || size > body.length - at) {
                    throw Unmet.because("binary_data_size is " + size + ", but " + (body.length - at)
                            + " bytes are left of the body");
                }
                outputs.add(WireTensor.ofBytes(
                        output, ByteBuffer.wrap(body, at, size).slice()));
                at += size;
            } else {
                outputs.add(WireTensor.ofJson(output));
            }
        }
        if (at != body.length) {
            throw Unmet.because((body.length - at) + " bytes come after the last output");
        }
        return outputs;
    }

    /// Whether an output's elements come as bytes.
    static boolean isBinary(Json output) {
        return output.has("parameters") && output.get("parameters").has("binary_data_size");
    }

    /// The output of a name.
    WireTensor output(String name) {
        return outputs().stream()
                .filter(output -> output.name().equals(name))
                .findFirst()
                .orElseThrow(() -> Unmet.because("there is no output '" + name + "'"));
    }

    /// Wants outputs whatever their order.
    ///
    /// @return null, or a note if they come in another order
    String requireOutputs(List<WireTensor> expected, boolean close) {
        List<WireTensor> came = outputs();
        List<String> names = came.stream().map(WireTensor::name).toList();
        List<String> wanted = expected.stream().map(WireTensor::name).toList();
        if (!names.stream().sorted().toList().equals(wanted.stream().sorted().toList())) {
            throw Unmet.because("expected the outputs " + wanted + ", came " + names);
        }
        for (WireTensor output : expected) {
            came.get(names.indexOf(output.name())).require(output, close);
        }
        return names.equals(wanted) ? null : "outputs come in another order: " + names;
    }

    /// In short, for reports.
    String shown() {
        String text = new String(message.body(), 0, Math.min(SHOWN, message.body().length), StandardCharsets.UTF_8)
                .replaceAll("[\\p{Cntrl}\uFFFD]", ".");
        return (status() + " " + text + (message.body().length > SHOWN ? "..." : "")).strip();
    }
}
