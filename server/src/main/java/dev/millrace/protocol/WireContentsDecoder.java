// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;

/// Reads the elements of an `InferTensorContents` straight into a tensor. Floating-point numbers lie there as they do
/// in the tensor and are copied; integers have to be read one by one. Threads: one.
final class WireContentsDecoder {
    private static final String[] FIELDS = {
        "nothing",
        "bool_contents",
        "int_contents",
        "int64_contents",
        "uint_contents",
        "uint64_contents",
        "fp32_contents",
        "fp64_contents",
        "bytes_contents"
    };
    private static final int BOOL = 1;
    private static final int INT = 2;
    private static final int INT64 = 3;
    private static final int UINT = 4;
    private static final int UINT64 = 5;
    private static final int FP32 = 6;
    private static final int FP64 = 7;
    private static final int BYTES = 8;

    private final Wire wire;
    private String input;
    private Tensor tensor;
    private long elements;
    private int expected;
    private int count;
    private long least;
    private long greatest;

    WireContentsDecoder(Wire wire) {
        this.wire = wire;
    }

    /// Gets ready for the elements of a tensor, which has its shape.
    ///
    /// @param name the input's name, for messages
    /// @param size how many elements there should be
    @Hot
    void begin(String name, Tensor target, long size) {
        input = name;
        tensor = target;
        elements = size;
        expected = field(target.datatype());
        count = 0;
        int bits = 8 * target.datatype().byteSize();
        boolean signed = expected == INT;
        least = signed ? -(1L << (bits - 1)) : 0;
        greatest = signed ? (1L << (bits - 1)) - 1 : (1L << bits) - 1;
    }

    /// Drops what belongs to the request.
    void clear() {
        tensor = null;
    }

    /// The field that holds the elements of a datatype; 0 if there is none.
    @Hot
    static int field(DataType datatype) {
        return switch (datatype) {
            case BOOL -> BOOL;
            case INT8, INT16, INT32 -> INT;
            case INT64 -> INT64;
            case UINT8, UINT16, UINT32 -> UINT;
            case UINT64 -> UINT64;
            case FP32 -> FP32;
            case FP64 -> FP64;
            case BYTES -> BYTES;
            case FP16, BF16 -> 0;
        };
    }

    /// How many elements came.
    @Hot
    int count() {
        return count;
    }

    /// Reads up to the wire's limit.
    @Hot
    void read() {
        while (wire.hasMore()) {
            int tag = wire.tag();
            int field = tag >>> 3;
            if (field != expected && field < FIELDS.length) {
                throw otherField(field);
            }
            if (field != expected) {
                wire.skip(tag);
            } else if (Wire.type(tag) == Wire.LENGTH && field != BYTES) {
                readPacked();
            } else {
                readOne(tag);
            }
        }
    }

    @Hot
    private void readPacked() {
        int outer = wire.enter();
        if (expected == FP32 || expected == FP64) {
            copy(tensor.datatype().byteSize());
        } else {
            while (wire.hasMore()) {
                put(wire.varint());
            }
        }
        wire.leave(outer);
    }

    @Hot
    private void copy(int width) {
        int bytes = wire.left();
        if (bytes % width != 0) {
            throw cutOff(bytes);
        }
        requireRoom(bytes / width);
        wire.get(wire.position(), tensor.data(), (long) count * width, bytes);
        count += bytes / width;
    }

    @Hot
    private void readOne(int tag) {
        switch (Wire.type(tag)) {
            case Wire.FIXED32 -> {
                requireField(FP32);
                requireRoom(1);
                tensor.setFloat(count++, Float.intBitsToFloat(wire.fixed32()));
            }
            case Wire.FIXED64 -> {
                requireField(FP64);
                requireRoom(1);
                tensor.setDouble(count++, Double.longBitsToDouble(wire.fixed64()));
            }
            case Wire.LENGTH -> readText();
            default -> {
                if (expected >= FP32) {
                    throw wrongForm();
                }
                put(wire.varint());
            }
        }
    }

    @Hot
    private void requireField(int field) {
        if (expected != field) {
            throw wrongForm();
        }
    }

    private void readText() {
        requireRoom(1);
        int size = wire.size();
        tensor.setBytes(count, BinaryDecoder.string(input, count, wire, wire.position(), size));
        wire.advance(size);
        count++;
    }

    @Hot
    private void put(long varint) {
        requireRoom(1);
        long value = switch (expected) {
            case BOOL -> varint == 0 ? 0 : 1;
            // What has more bits than its field loses the upper ones; so every protobuf reader does.
            case INT -> (int) varint;
            case UINT -> varint & 0xFFFF_FFFFL;
            default -> varint;
        };
        if ((expected == INT || expected == UINT) && (value < least || value > greatest)) {
            throw outOfRange(value);
        }
        tensor.setLong(count++, value);
    }

    @Hot
    private void requireRoom(long more) {
        if (count + more > elements) {
            throw tooMany();
        }
    }

    private Refusal otherField(int field) {
        if (expected == 0) {
            return Refusal.invalid("input '" + input + "' has elements in " + FIELDS[field] + ", expected "
                    + tensor.datatype() + " as raw_input_contents");
        }
        return Refusal.invalid("input '" + input + "' has elements in " + FIELDS[field] + ", expected "
                + tensor.datatype() + " in " + FIELDS[expected]);
    }

    private Refusal cutOff(int bytes) {
        return Refusal.invalid("input '" + input + "' has " + bytes + " bytes in " + FIELDS[expected]
                + ", which are no whole elements");
    }

    private Refusal wrongForm() {
        return Refusal.invalid(
                "input '" + input + "' has something in " + FIELDS[expected] + " that is no " + tensor.datatype());
    }

    private Refusal outOfRange(long value) {
        return Refusal.invalid("element " + count + " of input '" + input + "' is " + value + ", out of the range of "
                + tensor.datatype());
    }

    private Refusal tooMany() {
        return Refusal.invalid("input '" + input + "' has more than " + elements + " elements in " + FIELDS[expected]);
    }
}
