// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A constant tensor of a model: `TensorProto`. Its elements are in the file, as bytes or as numbers, or in another.
///
/// Threads: one. Ownership: its bytes are [OnnxFile]'s.
///
/// @param message its fields
public record OnnxTensor(ProtoMessage message) {
    private static final int DIMS = 1;
    private static final int TYPE = 2;
    private static final int FLOAT_DATA = 4;
    private static final int INT32_DATA = 5;
    private static final int STRING_DATA = 6;
    private static final int INT64_DATA = 7;
    private static final int NAME = 8;
    private static final int RAW_DATA = 9;
    private static final int DOUBLE_DATA = 10;
    private static final int UINT64_DATA = 11;
    private static final int EXTERNAL_DATA = 13;
    private static final int LOCATION = 14;
    private static final int EXTERNAL = 1;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// A new one.
    ///
    /// @param name empty for one that is an attribute
    /// @param raw its elements, little-endian
    public static OnnxTensor of(String name, ElementType type, long[] dims, byte[] raw) {
        ProtoMessage message = new ProtoMessage().setNumbers(DIMS, dims).setNumber(TYPE, type.code());
        if (!name.isEmpty()) {
            message.setText(NAME, name);
        }
        return new OnnxTensor(message.setBytes(RAW_DATA, raw));
    }

    /// A new one, of floats.
    public static OnnxTensor ofFloats(String name, long[] dims, float... values) {
        ByteBuffer raw = ByteBuffer.allocate(Math.multiplyExact(Float.BYTES, values.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        return of(name, ElementType.FLOAT, dims, raw.array());
    }

    /// A new one, of longs.
    public static OnnxTensor ofLongs(String name, long[] dims, long... values) {
        ByteBuffer raw = ByteBuffer.allocate(Math.multiplyExact(Long.BYTES, values.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        raw.asLongBuffer().put(values);
        return of(name, ElementType.INT64, dims, raw.array());
    }

    /// A new one, of doubles.
    public static OnnxTensor ofDoubles(String name, long[] dims, double... values) {
        ByteBuffer raw = ByteBuffer.allocate(Math.multiplyExact(Double.BYTES, values.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        raw.asDoubleBuffer().put(values);
        return of(name, ElementType.DOUBLE, dims, raw.array());
    }

    /// A new one, of texts.
    public static OnnxTensor ofTexts(String name, long[] dims, List<String> values) {
        ProtoMessage message = new ProtoMessage().setNumbers(DIMS, dims).setNumber(TYPE, ElementType.STRING.code());
        if (!name.isEmpty()) {
            message.setText(NAME, name);
        }
        return new OnnxTensor(message.setTexts(STRING_DATA, values));
    }

    /// Its name; empty for one that is an attribute.
    public String name() {
        return message.text(NAME);
    }

    /// Its shape.
    public long[] dims() {
        return message.numbers(DIMS);
    }

    /// What its elements are.
    ///
    /// @throws InvalidModelException if ONNX has no such type
    public ElementType type() {
        long code = message.number(TYPE, 0);
        return ElementType.of(code)
                .orElseThrow(() -> new InvalidModelException(
                        "tensor '" + name() + "' has elements of type " + code + ", which ONNX does not have"));
    }

    /// How many elements its shape says it has.
    ///
    /// @throws InvalidModelException if that cannot be
    public long elements() {
        long[] dims = dims();
        long elements = 1;
        boolean empty = false;
        for (long dim : dims) {
            if (dim < 0) {
                throw new InvalidModelException("tensor '" + name() + "' has a dimension of " + dim);
            }
            empty |= dim == 0;
        }
        for (long dim : dims) {
            try {
                elements = Math.multiplyExact(elements, dim);
            } catch (ArithmeticException e) {
                if (!empty) {
                    throw new InvalidModelException(
                            "tensor '" + name() + "' has dimensions that multiply to more than can be counted", e);
                }
            }
        }
        return empty ? 0 : elements;
    }

    /// The bytes of its elements, wherever they are; of strings what they are long together.
    public long byteSize() {
        if (type() == ElementType.STRING) {
            long[] bytes = {0};
            message.eachBytes(STRING_DATA, length -> bytes[0] += length);
            return bytes[0];
        }
        try {
            return type().bytes(elements());
        } catch (ArithmeticException e) {
            throw new InvalidModelException(
                    "tensor '" + name() + "' has more elements than any memory has room for: " + elements(), e);
        }
    }

    /// Whether its elements are in a file of their own.
    public boolean isExternal() {
        return message.number(LOCATION, 0) == EXTERNAL;
    }

    /// Where in another file its elements are: `location`, `offset`, `length` and what else is said about it.
    public Map<String, String> external() {
        Map<String, String> entries = new LinkedHashMap<>();
        for (ProtoMessage entry : message.messages(EXTERNAL_DATA)) {
            entries.put(entry.text(1), entry.text(2));
        }
        return entries;
    }

    /// Its elements as bytes, little-endian, if they are in the file as such.
    public Optional<MemorySegment> raw() {
        return message.bytes(RAW_DATA);
    }

    /// Its elements as whole numbers, if they are, are in the file, and are few.
    ///
    /// @param most how many are few
    public Optional<long[]> integers(int most) {
        ElementType type = type();
        if ((type != ElementType.INT64 && type != ElementType.INT32) || isExternal() || elements() > most) {
            return Optional.empty();
        }
        int count = (int) elements();
        Optional<MemorySegment> raw = raw();
        if (raw.isEmpty()) {
            long[] values = message.numbers(type == ElementType.INT64 ? INT64_DATA : INT32_DATA);
            return values.length == count ? Optional.of(values) : Optional.empty();
        }
        return raw.filter(bytes -> bytes.byteSize() == type.bytes(count)).map(bytes -> {
            message.spend(16 + (long) Long.BYTES * count);
            long[] values = new long[count];
            for (int i = 0; i < count; i++) {
                values[i] = type == ElementType.INT64
                        ? bytes.get(LONG, (long) Long.BYTES * i)
                        : bytes.get(INT, (long) Integer.BYTES * i);
            }
            return values;
        });
    }

    /// Holds that its elements are as many as its shape says.
    ///
    /// @throws InvalidModelException if they are not
    void check() {
        ElementType type = type();
        long elements = elements();
        long bytes = byteSize();
        if (isExternal()) {
            return;
        }
        if (raw().isPresent()) {
            long came = raw().get().byteSize();
            if (type == ElementType.STRING || came != bytes) {
                throw new InvalidModelException("tensor '" + name() + "' has " + came + " bytes of raw data, expected "
                        + (type == ElementType.STRING ? "texts" : bytes + " for " + elements + " of " + type));
            }
            return;
        }
        long came = values(type);
        if (came != expected(type, elements)) {
            throw new InvalidModelException("tensor '" + name() + "' has " + came + " values, expected "
                    + expected(type, elements) + " for " + elements + " of " + type);
        }
    }

    /// How many values are written one by one, in the field that the type has for it.
    private long values(ElementType type) {
        return switch (type) {
            case FLOAT, COMPLEX64 -> message.count(FLOAT_DATA, Float.BYTES);
            case DOUBLE, COMPLEX128 -> message.count(DOUBLE_DATA, Double.BYTES);
            case INT64 -> message.count(INT64_DATA);
            case UINT32, UINT64 -> message.count(UINT64_DATA);
            case STRING -> message.fields(STRING_DATA);
            default -> message.count(INT32_DATA);
        };
    }

    private static long expected(ElementType type, long elements) {
        return switch (type) {
            case COMPLEX64, COMPLEX128 -> 2 * elements;
            // Several in one value.
            case UINT4, INT4, FLOAT4E2M1, UINT2, INT2 -> type.bytes(elements);
            default -> elements;
        };
    }
}
