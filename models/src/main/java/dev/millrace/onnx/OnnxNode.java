// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// A node of a graph, which applies an operator to values: `NodeProto`.
///
/// Threads: one. Ownership: its bytes are [OnnxFile]'s.
///
/// @param message its fields
public record OnnxNode(ProtoMessage message) {
    private static final int INPUT = 1;
    private static final int OUTPUT = 2;
    private static final int NAME = 3;
    private static final int OPERATOR = 4;
    private static final int ATTRIBUTE = 5;
    private static final int DOMAIN = 7;
    private static final int OVERLOAD = 8;

    /// A new node.
    ///
    /// @param name its own name; may be empty
    public static OnnxNode of(
            OperatorName operator,
            String name,
            Collection<String> inputs,
            Collection<String> outputs,
            OnnxAttribute... attributes) {
        ProtoMessage message = new ProtoMessage();
        if (!name.isEmpty()) {
            message.setText(NAME, name);
        }
        OnnxNode node = new OnnxNode(message);
        node.setInputs(inputs);
        node.setOutputs(outputs);
        node.setOperator(operator);
        node.setAttributes(List.of(attributes));
        return node;
    }

    /// The names of the values that it takes, empty where an optional one is left out.
    public List<String> inputs() {
        return message.texts(INPUT);
    }

    /// The names of the values that it makes, empty where nobody wants one.
    public List<String> outputs() {
        return message.texts(OUTPUT);
    }

    /// Replaces what it takes.
    public void setInputs(Collection<String> names) {
        message.setTexts(INPUT, names);
    }

    /// Replaces what it makes.
    public void setOutputs(Collection<String> names) {
        message.setTexts(OUTPUT, names);
    }

    /// Its own name; often empty.
    public String name() {
        return message.text(NAME);
    }

    /// What it does.
    public OperatorName operator() {
        return new OperatorName(message.text(DOMAIN), message.text(OPERATOR));
    }

    /// Replaces what it does.
    public void setOperator(OperatorName operator) {
        message.setText(OPERATOR, operator.name());
        if (operator.domain().equals(OperatorName.ONNX)) {
            message.clear(DOMAIN);
        } else {
            message.setText(DOMAIN, operator.domain());
        }
    }

    /// Which of several functions of the operator's name it calls; mostly empty.
    public String overload() {
        return message.text(OVERLOAD);
    }

    /// Its attributes.
    public List<OnnxAttribute> attributes() {
        return message.messages(ATTRIBUTE).stream().map(OnnxAttribute::new).toList();
    }

    /// The attribute of this name, if there is one.
    public Optional<OnnxAttribute> attribute(String name) {
        return attributes().stream()
                .filter(attribute -> attribute.name().equals(name))
                .findFirst();
    }

    /// Replaces its attributes; those that stay stay as they are written.
    public void setAttributes(Collection<OnnxAttribute> attributes) {
        message.setMessages(
                ATTRIBUTE, attributes.stream().map(OnnxAttribute::message).toList());
    }

    /// The graphs in its attributes.
    public List<OnnxGraph> graphs() {
        List<OnnxGraph> all = new ArrayList<>();
        attributes().forEach(attribute -> all.addAll(attribute.graphs()));
        return all;
    }

    /// What to call it in messages.
    public String describe() {
        String name = name();
        return operator() + (name.isEmpty() ? " that makes " + outputs() : " '" + name + "'");
    }
}
