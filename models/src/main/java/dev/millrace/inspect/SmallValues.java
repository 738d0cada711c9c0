// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxTensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongBinaryOperator;

/// Shapes as values: what graphs compute to know which shape to give something. Stateless.
final class SmallValues {
    private SmallValues() {}

    /// What is known of a constant.
    static Fact of(OnnxTensor tensor) {
        return new Fact(tensor.dims(), tensor.integers(Fact.MAX_VALUES).orElse(null));
    }

    static Fact first(Step step) {
        return switch (step.name()) {
            case "Shape" -> shape(step);
            case "Size" -> new Fact(new long[0], new long[] {step.known(0).elements()});
            case "Constant" -> constant(step);
            case "ConstantOfShape" -> filled(step);
            case "Range" -> range(step);
            default -> oneHot(step);
        };
    }

    private static Fact shape(Step step) {
        long[] shape = step.shape(0);
        int from = (int) bound(step.number("start", 0), shape.length);
        int to = (int) bound(step.number("end", shape.length), shape.length);
        long[] values = Arrays.copyOfRange(shape, from, Math.max(from, to));
        return new Fact(new long[] {values.length}, values);
    }

    private static long bound(long index, int size) {
        return Math.clamp(index < 0 ? index + size : index, 0, size);
    }

    /// Between whole numbers; what becomes a float is not followed.
    static Fact cast(Step step) {
        Fact data = step.known(0);
        boolean whole = ElementType.of(step.number("to", 0))
                .filter(type -> type == ElementType.INT64 || type == ElementType.INT32 || type == ElementType.BOOL)
                .isPresent();
        return whole ? data : Fact.of(data.shape());
    }

    private static Fact constant(Step step) {
        if (step.has("value")) {
            return step.attribute("value").tensor().map(SmallValues::of).orElse(Fact.UNKNOWN);
        }
        if (step.has("value_int")) {
            return new Fact(new long[0], new long[] {step.number("value_int", 0)});
        }
        if (step.has("value_ints")) {
            long[] values = step.numbers("value_ints");
            return new Fact(new long[] {values.length}, values);
        }
        if (step.has("value_floats")) {
            return Fact.of(step.attribute("value_floats").realCount());
        }
        return step.has("value_float") || step.has("value_string") ? Fact.of() : Fact.UNKNOWN;
    }

    private static Fact filled(Step step) {
        long[] shape = step.values(0);
        Optional<OnnxTensor> value = step.has("value") ? step.attribute("value").tensor() : Optional.empty();
        Optional<long[]> one = value.flatMap(tensor -> tensor.integers(1));
        if (one.isEmpty() || one.get().length == 0 || Fact.product(shape, 0, shape.length) > Fact.MAX_VALUES) {
            return Fact.of(shape);
        }
        long[] values = new long[(int) Fact.product(shape, 0, shape.length)];
        Arrays.fill(values, one.get()[0]);
        return new Fact(shape, values);
    }

    private static Fact range(Step step) {
        long start = step.values(0)[0];
        long stride = step.values(2)[0];
        long count = Math.max(0, Math.ceilDiv(step.values(1)[0] - start, stride));
        if (count > Fact.MAX_VALUES) {
            return Fact.of(count);
        }
        long[] values = new long[(int) count];
        Arrays.setAll(values, i -> start + i * stride);
        return new Fact(new long[] {count}, values);
    }

    private static Fact oneHot(Step step) {
        long[] indices = step.shape(0);
        long axis = step.number("axis", -1);
        int at = (int) (axis < 0 ? axis + indices.length + 1 : axis);
        long[] shape = new long[indices.length + 1];
        System.arraycopy(indices, 0, shape, 0, at);
        shape[at] = step.values(1)[0];
        System.arraycopy(indices, at, shape, at + 1, indices.length - at);
        return Fact.of(shape);
    }

    /// Two inputs, element by element.
    static Fact binary(Step step, long[] shape) {
        LongBinaryOperator operator = switch (step.name()) {
            case "Add" -> Math::addExact;
            case "Sub" -> Math::subtractExact;
            case "Mul" -> Math::multiplyExact;
            case "Div" -> (a, b) -> a / b;
            case "Equal" -> (a, b) -> a == b ? 1 : 0;
            default -> null;
        };
        long[] left = step.in(0).values();
        long[] right = step.in(1).values();
        if (operator == null || left == null || right == null || shape.length > 1) {
            return Fact.of(shape);
        }
        long[] values = new long[(int) Fact.product(shape, 0, shape.length)];
        Arrays.setAll(values, i -> operator.applyAsLong(at(left, i), at(right, i)));
        return new Fact(shape, values);
    }

    /// All of them in one.
    static Fact reduced(Step step, long[] shape) {
        long[] values = step.in(0).values();
        if (values == null || step.in(0).rank() != 1) {
            return Fact.of(shape);
        }
        return switch (step.name()) {
            case "ReduceProd" -> new Fact(shape, new long[] {Fact.product(values, 0, values.length)});
            case "ReduceSum" ->
                new Fact(shape, new long[] {Arrays.stream(values).reduce(0, Math::addExact)});
            default -> Fact.of(shape);
        };
    }

    static Fact where(Step step, long[] shape) {
        long[] condition = step.in(0).values();
        long[] left = step.in(1).values();
        long[] right = step.in(2).values();
        if (condition == null || left == null || right == null || shape.length > 1) {
            return Fact.of(shape);
        }
        long[] values = new long[(int) Fact.product(shape, 0, shape.length)];
        Arrays.setAll(values, i -> at(condition, i) != 0 ? at(left, i) : at(right, i));
        return new Fact(shape, values);
    }

    private static long at(long[] values, int index) {
        return values[values.length == 1 ? 0 : index];
    }
}
