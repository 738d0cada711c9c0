// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limits;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.protocol.WireInferDecoder.Parameter;
import java.util.Arrays;

/// Reads one `InferInputTensor` into the call's tensor of that name. Threads: one.
final class WireInputDecoder extends InputReader {
    /// In place of a size: the elements are in the tensor's `contents`.
    static final int NOT_RAW = -1;

    private static final int NAME = 1 << 3 | Wire.LENGTH;
    private static final int DATATYPE = 2 << 3 | Wire.LENGTH;
    private static final int SHAPE = 3 << 3 | Wire.LENGTH;
    private static final int DIMENSION = 3 << 3 | Wire.VARINT;
    private static final int PARAMETERS = 4 << 3 | Wire.LENGTH;
    private static final int CONTENTS = 5 << 3 | Wire.LENGTH;

    private static final byte[] SHARED_MEMORY = JsonWriter.ascii("shared_memory_region");
    private static final DataType[] TYPES = DataType.values();
    private static final byte[][] TYPE_NAMES =
            Arrays.stream(TYPES).map(type -> JsonWriter.ascii(type.name())).toArray(byte[][]::new);

    private final Wire wire;
    private final Parameter parameter;
    private final WireContentsDecoder contents;

    private int place;
    private int nameAt;
    private int nameSize;
    private int typeAt;
    private int typeSize;
    private boolean hasContents;

    WireInputDecoder(Wire wire, Parameter parameter, Limits limits) {
        super(limits);
        this.wire = wire;
        this.parameter = parameter;
        this.contents = new WireContentsDecoder(wire);
    }

    /// Drops what belongs to the request.
    void clear() {
        endRequest();
        contents.clear();
    }

    /// Reads a tensor.
    ///
    /// @param index its place in the request, for messages
    /// @param from where its message begins
    /// @param size the bytes of its message
    /// @param rawFrom where its elements begin
    /// @param rawSize the bytes of its elements, or [#NOT_RAW]
    @Hot
    void read(int index, int from, int size, int rawFrom, int rawSize) {
        place = index;
        nameSize = 0;
        typeSize = 0;
        rank(0);
        hasContents = false;
        wire.seek(from, from + size);
        look();
        Tensor tensor = resolve();
        long elements = elements(wire.length());
        if (rawSize != NOT_RAW) {
            if (hasContents) {
                throw rawAndTyped();
            }
            BinaryDecoder.decode(spec().name(), tensor, shape(), rank(), wire, rawFrom, rawSize);
            return;
        }
        if (elements > wire.length()) {
            // An element takes a byte and more: a shape that the message cannot fill must not cost memory.
            throw wrongCount(elements, 0);
        }
        tensor.reshape(shape(), rank());
        contents.begin(spec().name(), tensor, elements);
        wire.seek(from, from + size);
        readContents();
        if (contents.count() != elements) {
            throw wrongCount(elements, contents.count());
        }
    }

    @Hot
    private void look() {
        while (wire.hasMore()) {
            int tag = wire.tag();
            switch (tag) {
                case NAME -> {
                    nameSize = wire.size();
                    nameAt = wire.position();
                    wire.advance(nameSize);
                }
                case DATATYPE -> {
                    typeSize = wire.size();
                    typeAt = wire.position();
                    wire.advance(typeSize);
                }
                case SHAPE -> readShape();
                case DIMENSION -> readDimension();
                case PARAMETERS -> readParameter();
                case CONTENTS -> {
                    int bytes = wire.size();
                    hasContents |= bytes > 0;
                    wire.advance(bytes);
                }
                default -> wire.skip(tag);
            }
        }
    }

    @Hot
    private void readShape() {
        int outer = wire.enter();
        while (wire.hasMore()) {
            readDimension();
        }
        wire.leave(outer);
    }

    @Hot
    private void readDimension() {
        long dimension = wire.varint();
        if (dimension < 0) {
            throw notADimension(dimension);
        }
        addDimension(dimension);
    }

    private Refusal notADimension(long came) {
        return wrongDimension(Long.toString(came));
    }

    private void readParameter() {
        parameter.read();
        if (parameter.is(SHARED_MEMORY)) {
            throw WireInferDecoder.sharedMemory(label());
        }
    }

    @Override
    String label() {
        return nameSize == 0 ? "inputs[" + place + "]" : "input '" + wire.text(nameAt, nameSize, "a name") + "'";
    }

    /// Finds the tensor that name, datatype and shape ask for, and checks that they fit.
    @Hot
    private Tensor resolve() {
        int index = -1;
        byte[][] names = names();
        for (int i = 0; i < names.length && index < 0; i++) {
            index = wire.is(nameAt, nameSize, names[i]) ? i : -1;
        }
        if (index < 0) {
            throw noSuchInput();
        }
        Tensor tensor = found(index);
        if (!wire.is(typeAt, typeSize, TYPE_NAMES[spec().datatype().ordinal()])) {
            throw wrongDatatype();
        }
        return tensor;
    }

    private Refusal noSuchInput() {
        return nameSize == 0 ? Refusal.invalid("inputs[" + place + "] has no name") : unknownName();
    }

    private Refusal wrongDatatype() {
        if (typeSize == 0) {
            return Refusal.invalid(label() + " has no datatype");
        }
        String came = wire.text(typeAt, typeSize, "the datatype of " + label());
        return wrongDatatype(came, isDatatype(came));
    }

    private Refusal wrongCount(long expected, int came) {
        return Refusal.invalid(
                label() + " has " + came + " elements in contents, expected " + expected + " for shape " + shown());
    }

    private Refusal rawAndTyped() {
        return Refusal.invalid(label() + " has contents, and there are raw_input_contents, expected one of both");
    }

    @Hot
    private void readContents() {
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == CONTENTS) {
                int outer = wire.enter();
                contents.read();
                wire.leave(outer);
            } else {
                wire.skip(tag);
            }
        }
    }
}
