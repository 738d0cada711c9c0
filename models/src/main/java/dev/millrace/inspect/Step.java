// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OperatorName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A node with what is known of its inputs. Threads: one.
final class Step {
    private final OnnxNode node;
    private final OperatorName operator;
    private final Map<String, OnnxAttribute> attributes = new HashMap<>();
    private final List<Fact> inputs;
    private final int outputs;

    /// @param inputs null for one that is left out
    Step(OnnxNode node, List<Fact> inputs) {
        this.node = node;
        this.operator = node.operator();
        node.attributes().forEach(attribute -> attributes.put(attribute.name(), attribute));
        this.inputs = inputs;
        this.outputs = node.outputs().size();
    }

    OperatorName operator() {
        return operator;
    }

    /// Accounts for what is made of the node on the heap.
    void spend(long heapBytes) {
        node.message().spend(heapBytes);
    }

    String name() {
        return operator.name();
    }

    int outputs() {
        return outputs;
    }

    /// How many inputs there are, left out ones included.
    int inputs() {
        return inputs.size();
    }

    /// What is known of an input; nothing of one that is left out.
    Fact in(int index) {
        return isGiven(index) ? inputs.get(index) : Fact.UNKNOWN;
    }

    /// Whether an input is there, be anything known of it or not.
    boolean isGiven(int index) {
        return index < inputs.size() && inputs.get(index) != null;
    }

    /// The shape of an input.
    ///
    /// @throws UnknownShape if it is not known
    long[] shape(int index) {
        return known(index).shape();
    }

    Fact known(int index) {
        Fact fact = in(index);
        if (!fact.isKnown()) {
            throw new UnknownShape();
        }
        return fact;
    }

    /// The elements of an input that is a small constant.
    ///
    /// @throws UnknownShape if they are not known
    long[] values(int index) {
        long[] values = in(index).values();
        if (values == null) {
            throw new UnknownShape();
        }
        return values;
    }

    boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    OnnxAttribute attribute(String name) {
        return attributes.get(name);
    }

    long number(String attribute, long otherwise) {
        return has(attribute) ? attributes.get(attribute).integer() : otherwise;
    }

    /// Whole numbers of an attribute; null if it is not there.
    long[] numbers(String attribute) {
        return has(attribute) ? attributes.get(attribute).integers() : null;
    }

    /// What older operators have as an attribute and newer ones as an input; null if it is neither.
    long[] numbers(String attribute, int input) {
        if (has(attribute)) {
            return numbers(attribute);
        }
        return isGiven(input) ? values(input) : null;
    }

    String text(String attribute, String otherwise) {
        return has(attribute) ? attributes.get(attribute).text() : otherwise;
    }

    /// A shape that is needed is not known. Has no stack: it is only ever caught.
    static final class UnknownShape extends RuntimeException {
        private static final long serialVersionUID = 1;

        UnknownShape() {
            super("a shape is not known", null, false, false);
        }
    }
}
