// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Requests with the answers of another engine, read from pairs of files: `NAME.request.json` is an Open Inference
/// Protocol request, `NAME.expected.json` the answer and how closely it is to be met.
final class Cases {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Cases() {}

    /// @param name the file name without `.request.json`
    /// @param model the model that the expected answer names
    record Case(String name, String model, List<Value> inputs, Expected expected) {
        Request request(Model target) {
            Request request = target.request();
            inputs.forEach(input -> request.set(input.name(), input.shape(), input.array()));
            return request;
        }

        void fill(Call call) {
            inputs.forEach(input -> input.write(call.input(input.name())));
        }

        /// The same request with one input exchanged.
        Case with(String input, Object array) {
            List<Value> changed = inputs.stream()
                    .map(value -> value.name().equals(input) ? value.withArray(array) : value)
                    .toList();
            return new Case(name, model, changed, expected);
        }
    }

    /// A tensor as a flat Java array: `float[]`, `double[]`, `long[]` for all integers, `boolean[]` or `String[]`.
    record Value(String name, DataType datatype, long[] shape, Object array) {
        private Value withArray(Object other) {
            return new Value(name, datatype, shape, other);
        }

        private void write(Tensor tensor) {
            tensor.reshape(shape);
            switch (array) {
                case float[] floats -> {
                    for (int i = 0; i < floats.length; i++) {
                        tensor.setReal(i, floats[i]);
                    }
                }
                case double[] doubles -> {
                    for (int i = 0; i < doubles.length; i++) {
                        tensor.setReal(i, doubles[i]);
                    }
                }
                case long[] longs -> {
                    for (int i = 0; i < longs.length; i++) {
                        tensor.setLong(i, longs[i]);
                    }
                }
                case boolean[] flags -> {
                    for (int i = 0; i < flags.length; i++) {
                        tensor.setLong(i, flags[i] ? 1 : 0);
                    }
                }
                case String[] texts -> {
                    for (int i = 0; i < texts.length; i++) {
                        tensor.setString(i, texts[i]);
                    }
                }
                default -> throw new IllegalStateException(name + " is " + array);
            }
        }
    }

    /// @param outputs per output `name`, and `shape` with `data`, or `maps`
    record Expected(double atol, double rtol, List<JsonNode> outputs) {
        void check(Signature signature, Prediction prediction) {
            check(signature, name -> {
                Prediction.Output output = prediction.output(name);
                Object[] values = new Object[java.lang.reflect.Array.getLength(output.values())];
                java.util.Arrays.setAll(values, i -> java.lang.reflect.Array.get(output.values(), i));
                return new Answer(output.datatype(), output.shape(), List.of(values), output.keys());
            });
        }

        void check(Call call) {
            check(call.signature(), name -> {
                Tensor tensor = call.output(name);
                List<Object> values = new ArrayList<>();
                for (int i = 0; i < tensor.elementCount(); i++) {
                    values.add(element(tensor, i));
                }
                List<Long> shape =
                        java.util.Arrays.stream(tensor.shape()).boxed().toList();
                return new Answer(tensor.datatype(), shape, values, tensor.keys());
            });
        }

        private static Object element(Tensor tensor, int index) {
            DataType type = tensor.datatype();
            if (type == DataType.BYTES) {
                return tensor.getString(index);
            }
            return type.isFloating() ? (Object) tensor.getReal(index) : (Object) tensor.getLong(index);
        }

        private void check(Signature signature, java.util.function.Function<String, Answer> answers) {
            assertThat(signature.outputs()).hasSameSizeAs(outputs);
            for (JsonNode output : outputs) {
                String name = output.get("name").asText();
                Answer answer = answers.apply(name);
                if (output.has("maps")) {
                    checkMaps(name, output.get("maps"), answer);
                } else {
                    checkTensor(name, output, answer);
                }
            }
        }

        private void checkTensor(String name, JsonNode output, Answer answer) {
            assertThat(answer.datatype())
                    .as(name)
                    .hasToString(output.get("datatype").asText());
            assertThat(answer.shape()).as("shape of " + name).isEqualTo(longs(output.get("shape")));
            List<JsonNode> data = flat(output.get("data"), new ArrayList<>());
            assertThat(answer.values()).as(name).hasSameSizeAs(data);
            for (int i = 0; i < data.size(); i++) {
                checkElement(name + "[" + i + "]", data.get(i), answer.values().get(i));
            }
        }

        private void checkMaps(String name, JsonNode maps, Answer answer) {
            int columns = answer.keys().size();
            assertThat(answer.shape()).as("shape of " + name).containsExactly((long) maps.size(), (long) columns);
            for (int row = 0; row < maps.size(); row++) {
                JsonNode map = maps.get(row);
                assertThat(map.size()).as("keys of " + name + "[" + row + "]").isEqualTo(columns);
                for (int column = 0; column < columns; column++) {
                    String key = answer.keys().get(column).toString();
                    assertThat(map.has(key)).as(name + " has key " + key).isTrue();
                    Object actual = answer.values().get(row * columns + column);
                    checkElement(name + "[" + row + "][" + key + "]", map.get(key), actual);
                }
            }
        }

        private void checkElement(String where, JsonNode expected, Object actual) {
            switch (actual) {
                case Float value -> checkReal(where, expected, value);
                case Double value -> checkReal(where, expected, value);
                case Long value -> {
                    long wanted = expected.isBoolean() ? (expected.asBoolean() ? 1 : 0) : integer(expected);
                    assertThat(value).as(where).isEqualTo(wanted);
                }
                case Boolean value ->
                    assertThat(value)
                            .as(where)
                            .isEqualTo(expected.isBoolean() ? expected.asBoolean() : expected.asInt() != 0);
                default -> assertThat(actual).as(where).isEqualTo(expected.asText());
            }
        }

        private void checkReal(String where, JsonNode node, double actual) {
            double expected = real(node);
            boolean close = Double.compare(actual, expected) == 0
                    || Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
            assertThat(close)
                    .as(() -> String.format(
                            Locale.ROOT,
                            "%s is %s, expected %s with atol %s, rtol %s",
                            where,
                            actual,
                            expected,
                            atol,
                            rtol))
                    .isTrue();
        }
    }

    private record Answer(DataType datatype, List<Long> shape, List<Object> values, List<?> keys) {}

    /// The cases in `folder`, by name.
    static List<Case> in(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> requests = files.filter(file -> file.toString().endsWith(".request.json"))
                    .sorted()
                    .toList();
            List<Case> cases = new ArrayList<>();
            for (Path request : requests) {
                cases.add(read(request));
            }
            return cases;
        }
    }

    private static Case read(Path request) throws IOException {
        String name = request.getFileName().toString().replace(".request.json", "");
        JsonNode expected = JSON.readTree(Files.readString(request.resolveSibling(name + ".expected.json")));
        List<Value> inputs = stream(JSON.readTree(Files.readString(request)).get("inputs"))
                .map(Cases::value)
                .toList();
        Expected answer = new Expected(
                expected.get("atol").asDouble(),
                expected.get("rtol").asDouble(),
                stream(expected.get("outputs")).toList());
        return new Case(name, expected.get("model").asText(), inputs, answer);
    }

    private static Value value(JsonNode input) {
        DataType datatype = DataType.named(input.get("datatype").asText()).orElseThrow();
        List<JsonNode> data = flat(input.get("data"), new ArrayList<>());
        long[] shape =
                longs(input.get("shape")).stream().mapToLong(Long::longValue).toArray();
        return new Value(input.get("name").asText(), datatype, shape, array(datatype, data));
    }

    private static Object array(DataType datatype, List<JsonNode> data) {
        return switch (datatype) {
            case FP32, FP16, BF16 -> {
                float[] floats = new float[data.size()];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = (float) real(data.get(i));
                }
                yield floats;
            }
            case FP64 -> data.stream().mapToDouble(Cases::real).toArray();
            case BOOL -> {
                boolean[] flags = new boolean[data.size()];
                for (int i = 0; i < flags.length; i++) {
                    flags[i] = data.get(i).isBoolean()
                            ? data.get(i).asBoolean()
                            : data.get(i).asInt() != 0;
                }
                yield flags;
            }
            case BYTES -> data.stream().map(JsonNode::asText).toArray(String[]::new);
            default -> data.stream().mapToLong(Cases::integer).toArray();
        };
    }

    private static double real(JsonNode node) {
        return node.isTextual() ? Double.parseDouble(node.asText()) : node.doubleValue();
    }

    /// The 64 bits of an integer, which for UINT64 may be more than a `long` can say.
    private static long integer(JsonNode node) {
        return node.bigIntegerValue().longValue();
    }

    private static List<Long> longs(JsonNode array) {
        return stream(array).map(JsonNode::longValue).toList();
    }

    private static List<JsonNode> flat(JsonNode node, List<JsonNode> into) {
        if (node.isArray()) {
            node.forEach(child -> flat(child, into));
        } else {
            into.add(node);
        }
        return into;
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
