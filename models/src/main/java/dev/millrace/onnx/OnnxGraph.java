// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A graph, of a model or in an attribute: `GraphProto`.
///
/// Threads: one. Ownership: its bytes are [OnnxFile]'s.
///
/// @param message its fields
public record OnnxGraph(ProtoMessage message) {
    private static final int NODE = 1;
    private static final int NAME = 2;
    private static final int INITIALIZER = 5;
    private static final int INPUT = 11;
    private static final int OUTPUT = 12;
    private static final int VALUE_INFO = 13;
    private static final int SPARSE_INITIALIZER = 15;

    /// A new one, empty.
    public static OnnxGraph named(String name) {
        return new OnnxGraph(new ProtoMessage().setText(NAME, name));
    }

    /// Its name.
    public String name() {
        return message.text(NAME);
    }

    /// Its nodes, in their order.
    public List<OnnxNode> nodes() {
        return message.messages(NODE).stream().map(OnnxNode::new).toList();
    }

    /// Replaces its nodes; those that stay stay as they are written.
    public void setNodes(Collection<OnnxNode> nodes) {
        message.setMessages(NODE, nodes.stream().map(OnnxNode::message).toList());
    }

    /// Its constants, but for those that are nodes, and sparse ones.
    public List<OnnxTensor> initializers() {
        return message.messages(INITIALIZER).stream().map(OnnxTensor::new).toList();
    }

    /// Replaces its constants; those that stay stay as they are written.
    public void setInitializers(Collection<OnnxTensor> tensors) {
        message.setMessages(
                INITIALIZER, tensors.stream().map(OnnxTensor::message).toList());
    }

    /// The values of its sparse constants, by the names that the constants have.
    public List<OnnxTensor> sparseValues() {
        return sparse(1);
    }

    /// The places of the values of its sparse constants.
    public List<OnnxTensor> sparsePlaces() {
        return sparse(2);
    }

    /// The shapes of its sparse constants, by name.
    public Map<String, long[]> sparseShapes() {
        Map<String, long[]> shapes = new HashMap<>();
        for (ProtoMessage sparse : message.messages(SPARSE_INITIALIZER)) {
            sparse.message(1).ifPresent(values -> shapes.put(new OnnxTensor(values).name(), sparse.numbers(3)));
        }
        return shapes;
    }

    private List<OnnxTensor> sparse(int field) {
        List<OnnxTensor> all = new ArrayList<>();
        for (ProtoMessage sparse : message.messages(SPARSE_INITIALIZER)) {
            sparse.message(field).map(OnnxTensor::new).ifPresent(all::add);
        }
        return all;
    }

    /// What it takes; before IR version 4 its constants are named here, too.
    public List<OnnxValue> inputs() {
        return values(INPUT);
    }

    /// What it gives.
    public List<OnnxValue> outputs() {
        return values(OUTPUT);
    }

    /// What is said of the values in between.
    public List<OnnxValue> valueInfos() {
        return values(VALUE_INFO);
    }

    /// Replaces what it takes.
    public void setInputs(Collection<OnnxValue> values) {
        set(INPUT, values);
    }

    /// Replaces what it gives.
    public void setOutputs(Collection<OnnxValue> values) {
        set(OUTPUT, values);
    }

    /// Replaces what is said of the values in between.
    public void setValueInfos(Collection<OnnxValue> values) {
        set(VALUE_INFO, values);
    }

    private void set(int field, Collection<OnnxValue> values) {
        message.setMessages(field, values.stream().map(OnnxValue::message).toList());
    }

    private List<OnnxValue> values(int field) {
        return message.messages(field).stream().map(OnnxValue::new).toList();
    }
}
