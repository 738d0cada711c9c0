// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An attribute of a node: `AttributeProto`. It has one value, or a list of them, of one type.
///
/// Threads: one. Ownership: its bytes are [OnnxFile]'s.
///
/// @param message its fields
public record OnnxAttribute(ProtoMessage message) {
    private static final int NAME = 1;
    private static final int FLOAT = 2;
    private static final int INT = 3;
    private static final int STRING = 4;
    private static final int TENSOR = 5;
    private static final int GRAPH = 6;
    private static final int FLOATS = 7;
    private static final int INTS = 8;
    private static final int STRINGS = 9;
    private static final int TENSORS = 10;
    private static final int GRAPHS = 11;
    private static final int SPARSE_TENSOR = 22;
    private static final int TYPE = 20;
    private static final int SPARSE_TENSORS = 23;

    /// A new one, of a whole number.
    public static OnnxAttribute of(String name, long value) {
        return new OnnxAttribute(named(name, 2).setNumber(INT, value));
    }

    /// A new one, of a float.
    public static OnnxAttribute of(String name, float value) {
        return new OnnxAttribute(named(name, 1).setReal(FLOAT, value));
    }

    /// A new one, of a text.
    public static OnnxAttribute of(String name, String value) {
        return new OnnxAttribute(named(name, 3).setText(STRING, value));
    }

    /// A new one, of a tensor.
    public static OnnxAttribute of(String name, OnnxTensor value) {
        return new OnnxAttribute(named(name, 4).setMessages(TENSOR, List.of(value.message())));
    }

    /// A new one, of whole numbers.
    public static OnnxAttribute of(String name, long[] values) {
        return new OnnxAttribute(named(name, 7).setNumbers(INTS, values));
    }

    /// A new one, of floats.
    public static OnnxAttribute of(String name, float[] values) {
        return new OnnxAttribute(named(name, 6).setReals(FLOATS, values));
    }

    /// A new one, of texts.
    public static OnnxAttribute of(String name, List<String> values) {
        return new OnnxAttribute(named(name, 8).setTexts(STRINGS, values));
    }

    private static ProtoMessage named(String name, int type) {
        return new ProtoMessage().setText(NAME, name).setNumber(TYPE, type);
    }

    /// Its name.
    public String name() {
        return message.text(NAME);
    }

    /// Its whole number.
    public long integer() {
        return message.number(INT, 0);
    }

    /// Its float.
    public float real() {
        return message.real(FLOAT, 0);
    }

    /// Its text.
    public String text() {
        return message.text(STRING);
    }

    /// Its whole numbers.
    public long[] integers() {
        return message.numbers(INTS);
    }

    /// Its floats.
    public float[] reals() {
        return message.reals(FLOATS);
    }

    /// How many floats it has.
    public long realCount() {
        return message.count(FLOATS, Float.BYTES);
    }

    /// How many whole numbers it has.
    public long integerCount() {
        return message.count(INTS);
    }

    /// Its texts.
    public List<String> texts() {
        return message.texts(STRINGS);
    }

    /// Its tensor, if that is what it is.
    public Optional<OnnxTensor> tensor() {
        return message.message(TENSOR).map(OnnxTensor::new);
    }

    /// All tensors in it, the values of sparse ones among them.
    public List<OnnxTensor> tensors() {
        List<ProtoMessage> all = new ArrayList<>(message.messages(TENSOR));
        all.addAll(message.messages(TENSORS));
        List<ProtoMessage> sparse = new ArrayList<>(message.messages(SPARSE_TENSOR));
        sparse.addAll(message.messages(SPARSE_TENSORS));
        sparse.forEach(tensor -> {
            tensor.message(1).ifPresent(all::add);
            tensor.message(2).ifPresent(all::add);
        });
        return all.stream().map(OnnxTensor::new).toList();
    }

    /// All graphs in it: the bodies of loops and branches.
    public List<OnnxGraph> graphs() {
        List<ProtoMessage> all = new ArrayList<>(message.messages(GRAPH));
        all.addAll(message.messages(GRAPHS));
        return all.stream().map(OnnxGraph::new).toList();
    }
}
