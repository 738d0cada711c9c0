// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import java.util.Arrays;
import java.util.Base64;

/// Reads the array of an input's elements, flat or nested like the shape, into a tensor.
///
/// Values are taken exactly or not at all: floating-point numbers are rounded to the nearest of their type, and what is
/// out of a type's range is refused. Null is for tensors that may have it. Threads: one.
final class DataDecoder {
    private static final byte[] BASE64 = JsonWriter.ascii("b64");

    /// Whether strings may be objects with their bytes in base64.
    private final boolean objects;

    private long[] counts = new long[4];

    private JsonReader json;
    private String input;
    private Tensor tensor;
    private long[] shape;
    private int rank;
    private long stored;
    /// The place in the tensor that the array begins with.
    private long origin;
    private long count;
    private int depth;
    /// How deep the elements are; 0 until there is one.
    private int leafDepth;

    /// @param base64 whether strings may also come as `{"b64": "..."}`
    DataDecoder(boolean base64) {
        this.objects = base64;
    }

    /// Reads the array that comes next.
    ///
    /// @param name the input's name, for messages
    /// @param target where elements go; it has room for `room`
    /// @param sizes what the sizes of nested arrays have to be, in its first `dimensions` values
    /// @param expected the product of the sizes
    /// @param room elements to keep: `expected`, or 0 if there cannot be that many
    @Hot
    void decode(JsonReader reader, String name, Tensor target, long[] sizes, int dimensions, long expected, long room) {
        json = reader;
        input = name;
        tensor = target;
        shape = sizes;
        rank = dimensions;
        stored = room;
        origin = 0;
        count = 0;
        array(expected);
    }

    /// Reads the value that comes next into a part of a tensor: an array, or an element where there are no dimensions.
    ///
    /// @param target has the room
    /// @param sizes what the sizes of nested arrays have to be, in its first `dimensions` values
    /// @param expected the product of the sizes
    /// @param from where in the tensor the part begins
    void decodePart(
            JsonReader reader, String name, Tensor target, long[] sizes, int dimensions, long expected, long from) {
        json = reader;
        input = name;
        tensor = target;
        shape = sizes;
        rank = dimensions;
        stored = from + expected;
        origin = from;
        count = from;
        if (dimensions == 0) {
            store(json.token());
        } else if (json.token() == Token.ARRAY) {
            array(expected);
        } else {
            throw notAnArray();
        }
    }

    private Refusal notAnArray() {
        return Refusal.invalid(
                "a value of input '" + input + "' is " + json.describe() + ", expected an array for shape " + shown());
    }

    @Hot
    private void array(long expected) {
        leafDepth = 0;
        depth = 1;
        reserveCounts();
        counts[1] = 0;
        json.enterArray();
        boolean nested = false;
        while (depth > 0) {
            if (!json.nextElement()) {
                close(nested);
            } else if (json.token() == Token.ARRAY) {
                nested = true;
                open();
            } else {
                elements();
            }
        }
        if (count - origin != expected) {
            throw wrongCount(expected);
        }
    }

    private void reserveCounts() {
        if (counts.length <= rank + 1) {
            counts = new long[rank + 2];
        }
    }

    private Refusal wrongCount(long expected) {
        return Refusal.invalid("input '" + input + "' has " + (count - origin) + " elements in data, expected "
                + expected + " for shape " + shown());
    }

    private String shown() {
        return Arrays.toString(Arrays.copyOf(shape, rank));
    }

    @Hot
    private void open() {
        if (leafDepth == depth) {
            throw sideBySide();
        }
        depth++;
        if (depth > rank) {
            throw tooDeep();
        }
        counts[depth] = 0;
        json.enterArray();
    }

    private Refusal sideBySide() {
        return Refusal.invalid("input '" + input + "' has elements and arrays side by side in data");
    }

    private Refusal tooDeep() {
        return Refusal.invalid("input '" + input + "' has data nested " + depth + " deep, expected at most "
                + Math.max(1, rank) + " for shape " + shown());
    }

    @Hot
    private void close(boolean nested) {
        if (nested && counts[depth] != shape[depth - 1]) {
            throw wrongSize();
        }
        depth--;
        counts[depth]++;
    }

    private Refusal wrongSize() {
        return Refusal.invalid("input '" + input + "' has an array of " + counts[depth] + " in dimension " + (depth - 1)
                + " of data, expected " + shape[depth - 1] + " for shape " + shown());
    }

    /// Reads the current element, and those after it as far as they are plain numbers.
    @Hot
    private void elements() {
        if (leafDepth != depth) {
            settleDepth();
        }
        int read = 0;
        if (tensor.datatype() == DataType.FP32) {
            read = json.readFloats(tensor.data(), count, stored);
        }
        if (read == 0) {
            element();
            read = 1;
        }
        counts[depth] += read;
        count += read;
    }

    private void settleDepth() {
        if (leafDepth != 0) {
            throw sideBySide();
        }
        if (depth != 1 && depth != rank) {
            throw Refusal.invalid("input '" + input + "' has data nested " + depth + " deep, expected 1 or " + rank
                    + " for shape " + shown());
        }
        leafDepth = depth;
    }

    @Hot
    private void element() {
        if (count < stored) {
            store(json.token());
        } else {
            json.skip();
        }
    }

    @Hot
    private void store(Token token) {
        if (token == Token.NULL && tensor.isNullable()) {
            json.readLiteral(token);
            tensor.setNull(count, true);
            return;
        }
        switch (tensor.datatype()) {
            case FP32 -> tensor.setFloat(count, real32(token));
            case FP64 -> tensor.setDouble(count, real(token));
            case FP16, BF16 -> storeSmall(token);
            case BOOL -> tensor.setLong(count, truth(token) ? 1 : 0);
            case BYTES -> storeText(token);
            default -> tensor.setLong(count, integer(token));
        }
    }

    @Hot
    private float real32(Token token) {
        readNumber(token);
        float value = json.real32();
        requireInRange();
        return value;
    }

    @Hot
    private double real(Token token) {
        readNumber(token);
        double value = json.real();
        requireInRange();
        return value;
    }

    @Hot
    private void readNumber(Token token) {
        if (token != Token.NUMBER) {
            throw wrongType("a number");
        }
        json.readNumber();
    }

    @Hot
    private void requireInRange() {
        if (!json.isInRange()) {
            throw outOfRange();
        }
    }

    @Hot
    private void storeSmall(Token token) {
        double value = real(token);
        tensor.setReal(count, value);
        if (Double.isFinite(value) && Double.isInfinite(tensor.getReal(count))) {
            throw outOfRange();
        }
    }

    @Hot
    private long integer(Token token) {
        if (token == Token.NUMBER) {
            json.readNumber();
        }
        if (token != Token.NUMBER || !json.isInteger()) {
            throw wrongType("an integer");
        }
        int bits = 8 * tensor.datatype().byteSize();
        long value = switch (tensor.datatype()) {
            case INT8, INT16, INT32, INT64 -> json.integer(-1L << (bits - 1), -1L >>> (Long.SIZE - bits + 1));
            case UINT64 -> json.unsigned();
            default -> json.integer(0, -1L >>> (Long.SIZE - bits));
        };
        requireInRange();
        return value;
    }

    @Hot
    private boolean truth(Token token) {
        if (token != Token.TRUE && token != Token.FALSE) {
            throw wrongType("true or false");
        }
        json.readLiteral(token);
        return token == Token.TRUE;
    }

    @Hot
    private void storeText(Token token) {
        if (token == Token.OBJECT && objects) {
            storeBytes();
            return;
        }
        if (token != Token.STRING) {
            throw wrongType("a string");
        }
        json.readText();
        if (json.hasLoneSurrogate()) {
            throw half();
        }
        byte[] source = json.textSource();
        int offset = json.textOffset();
        int length = json.textLength();
        requireNoZero(source, offset, length, "the character U+0000");
        tensor.setBytes((int) count, source, offset, length);
    }

    private Refusal half() {
        return unfit("half a surrogate pair, which no UTF-8 text has");
    }

    /// Reads `{"b64": "..."}`.
    private void storeBytes() {
        byte[] bytes = null;
        json.enterObject();
        while (json.nextMember()) {
            boolean known = bytes == null && json.isKey(BASE64) && json.token() == Token.STRING;
            if (!known) {
                throw unfit("another member than 'b64' with a string");
            }
            json.readText();
            bytes = decoded(json.text());
        }
        if (bytes == null) {
            throw unfit("no member 'b64'");
        }
        requireNoZero(bytes, 0, bytes.length, "the byte 0");
        tensor.setBytes((int) count, bytes);
    }

    private byte[] decoded(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw unfit("no base64 in 'b64': " + e.getMessage());
        }
    }

    @Hot
    private void requireNoZero(byte[] text, int offset, int length, String what) {
        for (int i = offset; i < offset + length; i++) {
            if (text[i] == 0) {
                throw cutOff(what);
            }
        }
    }

    private Refusal cutOff(String what) {
        return unfit(what + ", at which ONNX Runtime would cut it off");
    }

    private Refusal unfit(String what) {
        return Refusal.invalid("element " + count + " of input '" + input + "' has " + what);
    }

    private Refusal wrongType(String expected) {
        return Refusal.invalid("element " + count + " of input '" + input + "' is " + json.describe() + ", expected "
                + expected + " for " + tensor.datatype());
    }

    private Refusal outOfRange() {
        return Refusal.invalid("element " + count + " of input '" + input + "' is " + json.describe()
                + ", out of the range of " + tensor.datatype());
    }
}
