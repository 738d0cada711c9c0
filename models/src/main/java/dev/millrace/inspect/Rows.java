// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.inspect.ModelReport.Obstacle;
import dev.millrace.inspect.ModelReport.Value;
import dev.millrace.model.Batching;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Whether the file alone tells that rows of several requests cannot share a run. Stateless.
final class Rows {
    /// They take the range of what they quantize from all of it.
    private static final Set<String> WHOLE_BATCH =
            Set.of("DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM");

    private Rows() {}

    /// Why rows cannot share a run, if the file tells.
    static Optional<Obstacle> obstacle(List<Value> inputs, List<Value> outputs, Set<OperatorName> operators) {
        if (inputs.isEmpty()) {
            return Optional.of(none("the model has no inputs"));
        }
        Optional<String> value = Stream.concat(inputs.stream(), outputs.stream())
                .filter(each -> !isNumericTensor(each))
                .findFirst()
                .map(each -> "'" + each.name() + "' is not a numeric tensor");
        if (value.isPresent()) {
            return value.map(Rows::none);
        }
        Optional<String> shape =
                inputs.stream().flatMap(input -> shape(input).stream()).findFirst();
        if (shape.isPresent()) {
            return shape.map(Rows::none);
        }
        if (inputs.stream().allMatch(input -> first(input).size() == 1)) {
            return Optional.of(new Obstacle(Batching.Kind.ONE_ROW, "the leading dimension is fixed to 1"));
        }
        return leading(inputs).or(() -> mixing(operators)).map(Rows::none);
    }

    private static Obstacle none(String reason) {
        return new Obstacle(Batching.Kind.NONE, reason);
    }

    private static boolean isNumericTensor(Value value) {
        return Stream.of(ElementType.values())
                .anyMatch(type -> type != ElementType.STRING && type.name().equals(value.type()));
    }

    private static Optional<String> shape(Value input) {
        String name = "input '" + input.name() + "'";
        if (input.shape().isEmpty()) {
            return Optional.of(name + " has no declared shape");
        }
        List<Dimension> dims = input.shape().get();
        if (dims.isEmpty()) {
            return Optional.of(name + " is a scalar");
        }
        return dims.stream().skip(1).anyMatch(dim -> dim.size() < 1)
                ? Optional.of(name + " has rows of variable size, shape " + input.describeShape())
                : Optional.empty();
    }

    private static Optional<String> leading(List<Value> inputs) {
        String name = first(inputs.getFirst()).name();
        for (Value input : inputs) {
            if (first(input).size() != -1) {
                return Optional.of("input '" + input.name() + "' has no variable leading dimension, shape "
                        + input.describeShape());
            }
            if (!first(input).name().equals(name)) {
                return Optional.of("the leading dimensions of the inputs are called '" + name + "' and '"
                        + first(input).name() + "'");
            }
        }
        return Optional.empty();
    }

    private static Optional<String> mixing(Set<OperatorName> operators) {
        return new TreeSet<>(operators)
                .stream()
                        .filter(operator -> WHOLE_BATCH.contains(operator.name()))
                        .findFirst()
                        .map(operator ->
                                operator + " takes its scale from all rows of a run, so that they affect each other");
    }

    private static Dimension first(Value input) {
        return input.shape().orElseThrow().getFirst();
    }
}
