// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a graph says of a value, its name and type: `ValueInfoProto`.
///
/// Threads: one. Ownership: its bytes are [OnnxFile]'s.
///
/// @param message its fields
public record OnnxValue(ProtoMessage message) {
    private static final int NAME = 1;
    private static final int TYPE = 2;
    private static final int TENSOR = 1;
    private static final int SEQUENCE = 4;
    private static final int MAP = 5;
    private static final int SPARSE_TENSOR = 8;
    private static final int OPTIONAL = 9;
    private static final int SHAPE = 2;

    /// A dimension: a size, or a name, or neither.
    ///
    /// @param size the size, -1 where any goes
    /// @param name the name of a dimension of any size; empty if it has none
    public record Dimension(long size, String name) {
        /// A dimension of that size.
        public static Dimension of(long size) {
            return new Dimension(size, "");
        }

        /// A dimension of any size, by a name.
        public static Dimension open(String name) {
            return new Dimension(-1, name);
        }

        private ProtoMessage message() {
            ProtoMessage dim = new ProtoMessage();
            if (size >= 0) {
                dim.setNumber(1, size);
            } else if (!name.isEmpty()) {
                dim.setText(2, name);
            }
            return dim;
        }
    }

    /// A new one, of a tensor.
    public static OnnxValue of(String name, ElementType type, List<Dimension> shape) {
        OnnxValue value = new OnnxValue(new ProtoMessage().setText(NAME, name));
        value.setTensor(type, shape);
        return value;
    }

    /// Has it be a tensor.
    public void setTensor(ElementType type, List<Dimension> shape) {
        ProtoMessage dims = new ProtoMessage()
                .setMessages(1, shape.stream().map(Dimension::message).toList());
        ProtoMessage tensor = new ProtoMessage().setNumber(1, type.code()).setMessages(SHAPE, List.of(dims));
        message.setMessages(TYPE, List.of(new ProtoMessage().setMessages(TENSOR, List.of(tensor))));
    }

    /// Has one of its dimensions be another; the rest stays as it is written.
    ///
    /// @throws InvalidModelException if it is no tensor that has it
    public void setDimension(int axis, Dimension dimension) {
        List<ProtoMessage> dims = tensor().flatMap(tensor -> tensor.message(SHAPE))
                .map(shape -> shape.messages(1))
                .orElse(List.of());
        if (axis >= dims.size()) {
            throw new InvalidModelException("value '" + name() + "' has no dimension " + axis);
        }
        ProtoMessage dim = dims.get(axis).clear(1).clear(2);
        if (dimension.size() >= 0) {
            dim.setNumber(1, dimension.size());
        } else if (!dimension.name().isEmpty()) {
            dim.setText(2, dimension.name());
        }
    }

    /// Has its elements be others; the rest stays as it is written.
    ///
    /// @throws InvalidModelException if it is no tensor
    public void setElementType(ElementType type) {
        tensor().orElseThrow(() -> new InvalidModelException("value '" + name() + "' is no tensor"))
                .setNumber(1, type.code());
    }

    /// Its name.
    public String name() {
        return message.text(NAME);
    }

    /// What its elements are, if it is a tensor.
    public Optional<ElementType> elementType() {
        return tensor().flatMap(tensor -> ElementType.of(tensor.number(1, 0)));
    }

    /// The dimensions, if it is a tensor whose rank is known.
    public Optional<List<Dimension>> shape() {
        return tensor().flatMap(tensor -> tensor.message(SHAPE)).map(shape -> {
            List<Dimension> dims = new ArrayList<>();
            for (ProtoMessage dim : shape.messages(1)) {
                long size = dim.has(1) ? dim.number(1, -1) : -1;
                dims.add(new Dimension(Math.max(-1, size), size < 0 ? dim.text(2) : ""));
            }
            return List.copyOf(dims);
        });
    }

    /// What it is: `FLOAT` for a tensor of such elements, `sequence of ...`, `map of ...`.
    public String type() {
        return message.message(TYPE).map(OnnxValue::describe).orElse("of unknown type");
    }

    private static String describe(ProtoMessage type) {
        Optional<ProtoMessage> tensor = type.message(TENSOR);
        if (tensor.isPresent()) {
            return element(tensor.get());
        }
        if (type.has(SPARSE_TENSOR)) {
            return "sparse "
                    + type.message(SPARSE_TENSOR).map(OnnxValue::element).orElse("");
        }
        if (type.has(SEQUENCE)) {
            return "sequence of " + inner(type, SEQUENCE, 1);
        }
        if (type.has(OPTIONAL)) {
            return "optional " + inner(type, OPTIONAL, 1);
        }
        if (type.has(MAP)) {
            String key = type.message(MAP)
                    .map(map -> map.number(1, 0))
                    .flatMap(ElementType::of)
                    .map(ElementType::name)
                    .orElse("?");
            return "map of " + key + " to " + inner(type, MAP, 2);
        }
        return "of unknown type";
    }

    private static String inner(ProtoMessage type, int kind, int field) {
        return type.message(kind)
                .flatMap(outer -> outer.message(field))
                .map(OnnxValue::describe)
                .orElse("?");
    }

    private static String element(ProtoMessage tensor) {
        long code = tensor.number(1, 0);
        return ElementType.of(code).map(ElementType::name).orElse("type " + code);
    }

    private Optional<ProtoMessage> tensor() {
        return message.message(TYPE).flatMap(type -> type.message(TENSOR));
    }
}
