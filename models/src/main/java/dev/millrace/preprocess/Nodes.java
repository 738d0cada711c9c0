// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OperatorName;
import dev.millrace.spec.Literal;
import dev.millrace.spec.ValueKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The nodes of a graph in their order, and its constants, each once. Methods return the name of
/// the tensor that a node makes. A name of null stands for truth values that are never true.
///
/// Threads: one.
final class Nodes {
    /// What names begin with that are no input's or output's.
    static final String INNER = "features/";

    private static final String ML = "ai.onnx.ml";

    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<OnnxTensor> constants = new ArrayList<>();
    private final Map<Object, String> constantNames = new HashMap<>();
    private int names;

    /// Takes away what no output needs.
    void prune(Set<String> outputs) {
        Set<String> needed = new HashSet<>(outputs);
        for (int i = nodes.size() - 1; i >= 0; i--) {
            OnnxNode node = nodes.get(i);
            if (needed.contains(node.outputs().getFirst())) {
                needed.addAll(node.inputs());
            } else {
                nodes.remove(i);
            }
        }
        constants.removeIf(constant -> !needed.contains(constant.name()));
    }

    List<OnnxNode> nodes() {
        return nodes;
    }

    List<OnnxTensor> constants() {
        return constants;
    }

    /// Adds a node of ONNX's own.
    String node(String operator, List<String> inputs, OnnxAttribute... attributes) {
        return node(new OperatorName("", operator), inputs, attributes);
    }

    private String node(OperatorName operator, List<String> inputs, OnnxAttribute... attributes) {
        String output = INNER + operator.name() + "_" + names++;
        nodes.add(OnnxNode.of(operator, output, inputs, List.of(output), attributes));
        return output;
    }

    /// Adds the node that makes an output.
    void output(String operator, String input, String output, OnnxAttribute... attributes) {
        nodes.add(OnnxNode.of(new OperatorName("", operator), output, List.of(input), List.of(output), attributes));
    }

    String unary(String operator, String x) {
        return node(operator, List.of(x));
    }

    String binary(String operator, String x, String y) {
        return node(operator, List.of(x, y));
    }

    String cast(String x, ElementType to) {
        return node("Cast", List.of(x), OnnxAttribute.of("to", to.code()));
    }

    /// `yes` where a condition holds, else `no`. ONNX Runtime's `Where` takes the first for the
    /// second where it is a zero and adds up, so that of `yes` a negative zero becomes a positive
    /// one; `no` stays as it is. For the same reason no condition is made by `Not` alone: it would
    /// be taken away and the two exchanged.
    String where(String condition, String yes, String no) {
        return condition == null ? no : node("Where", List.of(condition, yes, no));
    }

    /// A number where a condition holds, else `no`, both zeros kept.
    String where(String condition, double yes, String no) {
        if (condition == null || Double.doubleToRawLongBits(yes) != Double.doubleToRawLongBits(-0.0)) {
            return where(condition, number(yes), no);
        }
        return unary("Neg", where(condition, number(0), unary("Neg", no)));
    }

    /// A value of the specification where a condition holds, else `no`.
    String where(String condition, Literal yes, String no) {
        return yes instanceof Literal.Real(double value)
                ? where(condition, value, no)
                : where(condition, literal(yes), no);
    }

    /// Where truth values of an input are false.
    String isFalse(String x) {
        String yes = constant("true", name -> OnnxTensor.of(name, ElementType.BOOL, shape(1), new byte[] {1}));
        return binary("Xor", x, yes);
    }

    String or(String x, String y) {
        return x == null ? y : y == null ? x : binary("Or", x, y);
    }

    /// Where the first holds and the second does not.
    String butNot(String x, String y) {
        return x == null || y == null ? x : binary("And", x, unary("Not", y));
    }

    /// Where any of a row's truth values holds.
    String any(String x, int columns) {
        if (columns == 1) {
            return x;
        }
        String most = node("ReduceMax", List.of(cast(x, ElementType.INT64)), OnnxAttribute.of("axes", new long[] {1}));
        return binary("Greater", most, whole(0));
    }

    /// The columns side by side.
    String columns(List<String> all) {
        return all.size() == 1 ? all.getFirst() : node("Concat", all, OnnxAttribute.of("axis", 1));
    }

    /// The places of texts among others, -1 for those that are not there.
    String placeOfText(String x, List<String> texts) {
        return node(
                new OperatorName(ML, "LabelEncoder"),
                List.of(x),
                OnnxAttribute.of("keys_strings", texts),
                OnnxAttribute.of("values_int64s", places(texts.size())),
                OnnxAttribute.of("default_int64", -1));
    }

    /// The places of whole numbers among others, -1 for those that are not there.
    String placeOfWhole(String x, List<Long> wholes) {
        return node(
                new OperatorName(ML, "LabelEncoder"),
                List.of(x),
                OnnxAttribute.of(
                        "keys_int64s",
                        wholes.stream().mapToLong(Long::longValue).toArray()),
                OnnxAttribute.of("values_int64s", places(wholes.size())),
                OnnxAttribute.of("default_int64", -1));
    }

    private static long[] places(int count) {
        long[] places = new long[count];
        for (int i = 0; i < count; i++) {
            places[i] = i;
        }
        return places;
    }

    /// A value's numbers as doubles.
    String number(Value value) {
        return value.kind() == ValueKind.INTEGER ? cast(value.name(), ElementType.DOUBLE) : value.name();
    }

    /// A row of doubles.
    String numbers(double... values) {
        List<Long> bits = new ArrayList<>();
        for (double value : values) {
            bits.add(Double.doubleToRawLongBits(value));
        }
        return constant(
                List.of(ElementType.DOUBLE, bits), name -> OnnxTensor.ofDoubles(name, shape(values.length), values));
    }

    /// A row of whole numbers.
    String wholes(long... values) {
        List<Long> key = new ArrayList<>();
        for (long value : values) {
            key.add(value);
        }
        return constant(
                List.of(ElementType.INT64, key), name -> OnnxTensor.ofLongs(name, shape(values.length), values));
    }

    String number(double value) {
        return numbers(value);
    }

    String whole(long value) {
        return wholes(value);
    }

    /// A list of places, as operators take it.
    String axis(long axis) {
        return constant(List.of("axis", axis), name -> OnnxTensor.ofLongs(name, new long[] {1}, axis));
    }

    /// Rows of doubles; not looked for among other constants.
    String table(int columns, double... values) {
        String name = INNER + "table_" + names++;
        constants.add(OnnxTensor.ofDoubles(name, new long[] {values.length / columns, columns}, values));
        return name;
    }

    private String literal(Literal literal) {
        return switch (literal) {
            case Literal.Real(double value) -> number(value);
            case Literal.Whole(long value) -> whole(value);
            case Literal.Text(String value) ->
                constant(
                        List.of(ElementType.STRING, value), name -> OnnxTensor.ofTexts(name, shape(1), List.of(value)));
        };
    }

    private static long[] shape(int columns) {
        return new long[] {1, columns};
    }

    /// Makes a constant by a name.
    private interface Maker {
        OnnxTensor make(String name);
    }

    private String constant(Object key, Maker maker) {
        return constantNames.computeIfAbsent(key, _ -> {
            String name = INNER + "constant_" + constants.size();
            constants.add(maker.make(name));
            return name;
        });
    }
}
