// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import dev.millrace.json.JsonWriter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// An inference request, right at first, that a case then changes: members are JSON texts, so that they can be wrong
/// in any way. Not for several threads.
final class InferRequest {
    private static final String[] NO_HEADERS = {};

    private final Map<String, String> members = new LinkedHashMap<>();
    private final List<Map<String, String>> inputs = new ArrayList<>();
    private final List<WireTensor> tensors;
    private final ByteArrayOutputStream tail = new ByteArrayOutputStream();
    private String jsonLength;
    private boolean binary;

    InferRequest(List<WireTensor> tensors) {
        this.tensors = tensors;
        for (WireTensor tensor : tensors) {
            Map<String, String> input = new LinkedHashMap<>();
            input.put("name", quote(tensor.name()));
            input.put("shape", tensor.shape().toString().replace(" ", ""));
            input.put("datatype", quote(tensor.datatype().name()));
            input.put("data", tensor.flat());
            inputs.add(input);
        }
    }

    static InferRequest of(WireTensor... tensors) {
        return new InferRequest(List.of(tensors));
    }

    static String quote(String text) {
        return new String(new JsonWriter().string(text).toBytes(), StandardCharsets.UTF_8);
    }

    /// Sets a member of the request.
    InferRequest with(String name, String json) {
        members.put(name, json);
        return this;
    }

    /// Asks for outputs by name.
    InferRequest outputs(List<String> names) {
        return with(
                "outputs",
                names.stream()
                        .map(name -> "{\"name\":" + quote(name) + "}")
                        .collect(Collectors.joining(",", "[", "]")));
    }

    /// Asks for outputs by name, as bytes or not.
    InferRequest outputs(List<String> names, boolean asBytes) {
        return with(
                "outputs",
                names.stream()
                        .map(name -> "{\"name\":" + quote(name) + ",\"parameters\":{\"binary_data\":" + asBytes + "}}")
                        .collect(Collectors.joining(",", "[", "]")));
    }

    /// Sets a member of an input.
    InferRequest set(int input, String name, String json) {
        inputs.get(input).put(name, json);
        return this;
    }

    InferRequest remove(int input, String name) {
        inputs.get(input).remove(name);
        return this;
    }

    /// Leaves an input out.
    InferRequest drop(int input) {
        inputs.remove(input);
        return this;
    }

    /// Adds a copy of an input under a name.
    InferRequest copy(int input, String name) {
        Map<String, String> copy = new LinkedHashMap<>(inputs.get(input));
        copy.put("name", quote(name));
        inputs.add(copy);
        return this;
    }

    /// Writes an input's members in another order.
    InferRequest order(int input, List<String> names) {
        Map<String, String> old = inputs.get(input);
        Map<String, String> ordered = new LinkedHashMap<>();
        names.forEach(name -> ordered.put(name, old.get(name)));
        inputs.set(input, ordered);
        return this;
    }

    InferRequest nested() {
        for (int i = 0; i < inputs.size(); i++) {
            set(i, "data", tensors.get(i).nested());
        }
        return this;
    }

    /// Sends an input's elements as bytes.
    InferRequest binary(int input) {
        byte[] bytes = tensors.get(input).bytes();
        inputs.get(input).remove("data");
        set(input, "parameters", "{\"binary_data_size\":" + bytes.length + "}");
        return tail(bytes);
    }

    /// Sends all elements as bytes.
    InferRequest binary() {
        for (int i = 0; i < inputs.size(); i++) {
            binary(i);
        }
        return this;
    }

    /// Adds bytes after the JSON.
    InferRequest tail(byte[] bytes) {
        tail.writeBytes(bytes);
        binary = true;
        return this;
    }

    /// Tells the JSON's length in other words than it is.
    InferRequest jsonLength(String text) {
        jsonLength = text;
        binary = true;
        return this;
    }

    /// Wants all outputs as bytes, by their own flags.
    InferRequest binaryOutputs(List<String> names) {
        return outputs(names, true);
    }

    String json() {
        String list = inputs.stream().map(InferRequest::object).collect(Collectors.joining(",", "[", "]"));
        Map<String, String> all = new LinkedHashMap<>(members);
        all.putIfAbsent("inputs", list);
        return object(all);
    }

    private static String object(Map<String, String> members) {
        return members.entrySet().stream()
                .map(member -> quote(member.getKey()) + ":" + member.getValue())
                .collect(Collectors.joining(",", "{", "}"));
    }

    byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(json().getBytes(StandardCharsets.UTF_8));
        bytes.writeBytes(tail.toByteArray());
        return bytes.toByteArray();
    }

    /// What has to go with it, as [Session#send] takes it.
    String[] headers() {
        if (!binary) {
            return NO_HEADERS;
        }
        int length = json().getBytes(StandardCharsets.UTF_8).length;
        return new String[] {Answer.JSON_LENGTH, jsonLength == null ? Integer.toString(length) : jsonLength};
    }
}
