// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a model wants, as its server says.
///
/// @param inputs its inputs, in order
record ModelMetadata(List<Input> inputs) {
    /// @param name the input's name
    /// @param datatype as in the protocol, `FP32` for one
    /// @param shape its dimensions; -1 for one that may vary
    record Input(String name, String datatype, List<Long> shape) {}

    /// Reads the answer to `GET /v2/models/M`.
    ///
    /// @throws IOException if it is none
    static ModelMetadata parse(String text) throws IOException {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        JsonReader json = new JsonReader();
        json.reset(Arrays.copyOf(utf8, utf8.length + JsonReader.PADDING), 0, utf8.length);
        try {
            return new ModelMetadata(List.copyOf(read(json)));
        } catch (JsonException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static List<Input> read(JsonReader json) throws IOException {
        List<Input> inputs = null;
        json.enterObject();
        while (json.nextMember()) {
            if (json.text().equals("inputs")) {
                inputs = inputs(json);
            } else {
                json.skip();
            }
        }
        if (inputs == null) {
            throw new IOException("expected 'inputs'");
        }
        return inputs;
    }

    private static List<Input> inputs(JsonReader json) throws IOException {
        List<Input> inputs = new ArrayList<>();
        json.enterArray();
        while (json.nextElement()) {
            inputs.add(input(json));
        }
        return inputs;
    }

    private static Input input(JsonReader json) throws IOException {
        String name = null;
        String datatype = null;
        List<Long> shape = null;
        json.enterObject();
        while (json.nextMember()) {
            switch (json.text()) {
                case "name" -> name = string(json);
                case "datatype" -> datatype = string(json);
                case "shape" -> shape = shape(json);
                default -> json.skip();
            }
        }
        if (name == null || datatype == null || shape == null) {
            throw new IOException("expected 'name', 'datatype' and 'shape' of every input");
        }
        return new Input(name, datatype, List.copyOf(shape));
    }

    private static String string(JsonReader json) {
        json.readText();
        return json.text();
    }

    private static List<Long> shape(JsonReader json) throws IOException {
        List<Long> shape = new ArrayList<>();
        json.enterArray();
        while (json.nextElement()) {
            shape.add(size(json));
        }
        return shape;
    }

    /// Some servers write numbers as strings.
    private static long size(JsonReader json) throws IOException {
        try {
            if (json.token() == JsonReader.Token.STRING) {
                return Long.parseLong(string(json));
            }
            json.readNumber();
            return json.integer(-1, Long.MAX_VALUE);
        } catch (NumberFormatException e) {
            throw new IOException("expected numbers in 'shape'", e);
        }
    }
}
