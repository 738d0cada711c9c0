// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.version.JsonText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Requests as a server traced them at level `TENSORS`, Millrace or Triton: an array of objects, of which those with
/// the same `id` belong together. Those that have all inputs of the model are its requests.
final class TraceRequests implements RequestTexts {
    /// Of an object, which is held as a whole.
    private static final int MAX_CHARACTERS = 1 << 26;
    /// Those that wait for inputs that are not there yet, and may never be: other models' have some of the same names.
    private static final int MAX_OPEN = 4096;

    private static final String INPUT = "TENSOR_QUEUE_INPUT";

    private final Path file;
    private final List<String> inputs;
    private final ObjectReader objects;
    private final Map<String, Map<String, String>> open = new LinkedHashMap<>();
    private String id = "";
    private long found;

    /// What an object says of a tensor; null where it does not.
    private static final class Traced {
        private String id;
        private String activity;
        private String name;
        private String data;
        private String shape;
        private String datatype;
    }

    /// @param inputs the names of the model's
    TraceRequests(Path file, List<String> inputs) throws IOException {
        this.file = file;
        this.inputs = inputs;
        this.objects = new ObjectReader(file, MAX_CHARACTERS);
    }

    @Override
    public String next() throws IOException {
        for (String object = objects.next(); object != null; object = objects.next()) {
            Traced traced = traced(object);
            if (traced.id != null && INPUT.equals(traced.activity) && inputs.contains(traced.name)) {
                Map<String, String> request = open.computeIfAbsent(traced.id, _ -> new LinkedHashMap<>());
                request.put(traced.name, tensor(traced));
                if (request.size() == inputs.size()) {
                    open.remove(traced.id);
                    id = traced.id;
                    found++;
                    return "{\"inputs\":[" + String.join(",", request.values()) + "]}";
                }
                if (open.size() > MAX_OPEN) {
                    open.remove(open.keySet().iterator().next());
                }
            }
        }
        if (found == 0) {
            throw new InvalidDataException(
                    file,
                    "it has no traced requests with the model's inputs " + inputs
                            + ", expected traces of level TENSORS");
        }
        return null;
    }

    @Override
    public String place() {
        return "trace " + id;
    }

    private Traced traced(String object) throws InvalidDataException {
        Traced traced = new Traced();
        JsonText json = new JsonText(object);
        try {
            json.enter('{');
            while (json.more('}')) {
                switch (json.name()) {
                    case "id" -> traced.id = json.literal();
                    case "activity" -> traced.activity = json.string();
                    case "tensor" -> tensor(json, traced);
                    default -> json.skip();
                }
            }
            return traced;
        } catch (IllegalArgumentException e) {
            throw new InvalidDataException(file, "trace " + traced.id + ": " + e.getMessage(), e);
        }
    }

    private static void tensor(JsonText json, Traced traced) {
        json.enter('{');
        while (json.more('}')) {
            switch (json.name()) {
                case "name" -> traced.name = json.string();
                case "data" -> traced.data = json.string();
                case "shape" -> traced.shape = json.string();
                case "dtype" -> traced.datatype = json.string();
                default -> json.skip();
            }
        }
    }

    /// As it is in a request: the texts of elements and shape are what is between the brackets of arrays.
    private String tensor(Traced traced) throws InvalidDataException {
        if (traced.data == null || traced.shape == null || traced.datatype == null) {
            throw new InvalidDataException(
                    file, "trace " + traced.id + ": input '" + traced.name + "' has no data, shape or dtype");
        }
        return "{\"name\":" + quoted(traced.name) + ",\"datatype\":" + quoted(traced.datatype) + ",\"shape\":["
                + traced.shape + "],\"data\":[" + traced.data + "]}";
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (next == '"' || next == '\\') {
                json.append('\\').append(next);
            } else if (next < ' ') {
                json.append("\\u%04x".formatted((int) next));
            } else {
                json.append(next);
            }
        }
        return json.append('"').toString();
    }

    @Override
    public void close() throws IOException {
        objects.close();
    }
}
