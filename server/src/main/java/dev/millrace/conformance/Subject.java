// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// The model that requests of every form are tried on: one that the suite knows, or any by its metadata.
///
/// @param name its name
/// @param inputs a request's inputs that it takes
/// @param shapes the inputs' shapes by its metadata, with -1 for what may vary
/// @param outputs its outputs, with elements if they are known; null if the model's first answer has to do
/// @param outputNames their names
record Subject(
        String name,
        List<WireTensor> inputs,
        List<List<Long>> shapes,
        List<WireTensor> outputs,
        List<String> outputNames) {
    private static final long VARIABLE = 2;

    /// The one that the suite knows.
    static Subject two() {
        List<Long> shape = List.of(2L, 2L);
        WireTensor a = WireTensor.floats("a", shape, 1.5, -2, 0.25, 8);
        WireTensor n = WireTensor.integers("n", Datatype.INT64, shape, "7", "-3", "9007199254740993", "0");
        List<Object> sums = new ArrayList<>();
        List<Object> negated = new ArrayList<>();
        for (int i = 0; i < a.elements().size(); i++) {
            BigInteger integer = (BigInteger) n.elements().get(i);
            sums.add((Float) a.elements().get(i) + (float) integer.longValue());
            negated.add(integer.negate());
        }
        List<WireTensor> outputs = List.of(
                new WireTensor("sum", Datatype.FP32, shape, sums),
                new WireTensor("negated", Datatype.INT64, shape, negated));
        List<Long> metadata = List.of(-1L, 2L);
        return new Subject(Models.TWO, List.of(a, n), List.of(metadata, metadata), outputs, List.of("sum", "negated"));
    }

    /// Any model, with inputs of ones.
    static Subject of(String name, Json metadata) {
        List<WireTensor> inputs = new ArrayList<>();
        List<List<Long>> shapes = new ArrayList<>();
        for (Json input : metadata.get("inputs").elements()) {
            List<Long> shape = input.get("shape").numbers();
            shapes.add(shape);
            List<Long> sent =
                    shape.stream().map(size -> size < 0 ? VARIABLE : size).toList();
            inputs.add(ones(
                    input.get("name").text(), Datatype.of(input.get("datatype").text()), sent));
        }
        if (inputs.isEmpty()) {
            throw Unmet.skipped("model '" + name + "' has no inputs");
        }
        List<String> outputs = metadata.get("outputs").elements().stream()
                .map(output -> output.get("name").text())
                .toList();
        return new Subject(name, inputs, shapes, null, outputs);
    }

    private static WireTensor ones(String name, Datatype datatype, List<Long> shape) {
        Object one = switch (datatype) {
            case BOOL -> true;
            case BYTES -> "1";
            case FP16, BF16, FP32 -> 1f;
            case FP64 -> 1.0;
            default -> BigInteger.ONE;
        };
        long count = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
        List<Object> elements = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            elements.add(one);
        }
        return new WireTensor(name, datatype, shape, elements);
    }

    /// A right request, with all data as JSON.
    InferRequest request() {
        return new InferRequest(inputs);
    }

    Subject answering(List<WireTensor> answer) {
        return new Subject(name, inputs, shapes, answer, outputNames);
    }

    /// The first input of more than one element; -1 if there is none.
    int indexOfMany() {
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i).elements().size() > 1 && !inputs.get(i).shape().isEmpty()) {
                return i;
            }
        }
        return -1;
    }
}
