// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.millrace.memory.Tensor;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The oracle for [DataDecoder], by Jackson's parser and the JDK's numbers: reads the array of an input's elements,
/// flat or nested like the shape, into a tensor.
///
/// Values are taken exactly or not at all: floating-point numbers are rounded to the nearest of their type, and what is
/// out of a type's range is refused. Threads: one.
final class JacksonDataDecoder {
    private long[] counts = new long[4];

    private JsonParser parser;
    private String input;
    private Tensor tensor;
    private long[] shape;
    private int rank;
    private long stored;
    private long count;
    private int depth;
    /// How deep the elements are; 0 until there is one.
    private int leafDepth;

    /// Reads the array that starts at the parser's current token.
    ///
    /// @param input the input's name, for messages
    /// @param tensor where elements go; it has room for `stored`
    /// @param shape what the sizes of nested arrays have to be, in its first `rank` values
    /// @param expected the product of the shape
    /// @param stored elements to keep: `expected`, or 0 if there cannot be that many
    void decode(JsonParser parser, String input, Tensor tensor, long[] shape, int rank, long expected, long stored)
            throws IOException {
        this.parser = parser;
        this.input = input;
        this.tensor = tensor;
        this.shape = shape;
        this.rank = rank;
        this.stored = stored;
        count = 0;
        leafDepth = 0;
        depth = 1;
        if (counts.length <= rank + 1) {
            counts = new long[rank + 2];
        }
        counts[1] = 0;
        boolean nested = false;
        while (depth > 0) {
            switch (parser.nextToken()) {
                case START_ARRAY -> {
                    nested = true;
                    open();
                }
                case END_ARRAY -> close(nested);
                case JsonToken token -> element(token);
            }
        }
        if (count != expected) {
            throw Refusal.invalid("input '" + input + "' has " + count + " elements in data, expected " + expected
                    + " for shape " + shown());
        }
    }

    private String shown() {
        return Arrays.toString(Arrays.copyOf(shape, rank));
    }

    private void open() {
        if (leafDepth == depth) {
            throw Refusal.invalid("input '" + input + "' has elements and arrays side by side in data");
        }
        depth++;
        if (depth > rank) {
            throw Refusal.invalid("input '" + input + "' has data nested " + depth + " deep, expected at most "
                    + Math.max(1, rank) + " for shape " + shown());
        }
        counts[depth] = 0;
    }

    private void close(boolean nested) {
        if (nested && counts[depth] != shape[depth - 1]) {
            throw Refusal.invalid("input '" + input + "' has an array of " + counts[depth] + " in dimension "
                    + (depth - 1) + " of data, expected " + shape[depth - 1] + " for shape " + shown());
        }
        depth--;
        counts[depth]++;
    }

    private void element(JsonToken token) throws IOException {
        if (leafDepth != depth) {
            settleDepth();
        }
        counts[depth]++;
        if (count < stored) {
            store(token);
        }
        count++;
    }

    private void settleDepth() {
        if (leafDepth != 0) {
            throw Refusal.invalid("input '" + input + "' has elements and arrays side by side in data");
        }
        if (depth != 1 && depth != rank) {
            throw Refusal.invalid("input '" + input + "' has data nested " + depth + " deep, expected 1 or " + rank
                    + " for shape " + shown());
        }
        leafDepth = depth;
    }

    private void store(JsonToken token) throws IOException {
        switch (tensor.datatype()) {
            case FP32 -> tensor.setFloat(count, real32(token));
            case FP64 -> tensor.setDouble(count, real64(token));
            case FP16, BF16 -> storeSmall(token);
            case BOOL -> tensor.setLong(count, truth(token) ? 1 : 0);
            case BYTES -> storeText(token);
            default -> tensor.setLong(count, integer(token));
        }
    }

    private float real32(JsonToken token) throws IOException {
        if (!token.isNumeric()) {
            throw wrongType("a number");
        }
        float value = Float.parseFloat(parser.getText().replace("INF", "Infinity"));
        if (Float.isInfinite(value) && isDecimal()) {
            throw outOfRange();
        }
        return value;
    }

    private double real64(JsonToken token) throws IOException {
        if (!token.isNumeric()) {
            throw wrongType("a number");
        }
        double value = Double.parseDouble(parser.getText().replace("INF", "Infinity"));
        if (Double.isInfinite(value) && isDecimal()) {
            throw outOfRange();
        }
        return value;
    }

    private void storeSmall(JsonToken token) throws IOException {
        tensor.setReal(count, real64(token));
        if (Double.isInfinite(tensor.getReal(count)) && isDecimal()) {
            throw outOfRange();
        }
    }

    /// Whether the current number is written in digits: then it was not meant to be infinite.
    private boolean isDecimal() throws IOException {
        char last = parser.getTextCharacters()[parser.getTextOffset() + parser.getTextLength() - 1];
        return last >= '0' && last <= '9';
    }

    private long integer(JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_NUMBER_INT) {
            throw wrongType("an integer");
        }
        BigInteger value = parser.getBigIntegerValue();
        int bits = 8 * tensor.datatype().byteSize();
        boolean signed = tensor.datatype().name().startsWith("INT");
        BigInteger least = signed ? BigInteger.TWO.pow(bits - 1).negate() : BigInteger.ZERO;
        BigInteger size = BigInteger.TWO.pow(bits);
        if (value.compareTo(least) < 0 || value.compareTo(least.add(size)) >= 0) {
            throw outOfRange();
        }
        return value.longValue();
    }

    private boolean truth(JsonToken token) throws IOException {
        if (!token.isBoolean()) {
            throw wrongType("true or false");
        }
        return token == JsonToken.VALUE_TRUE;
    }

    private void storeText(JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_STRING) {
            throw wrongType("a string");
        }
        String text = parser.getText();
        if (hasLoneSurrogate(text)) {
            throw unfit("half a surrogate pair, which no UTF-8 text has");
        }
        if (text.indexOf('\0') >= 0) {
            throw unfit("the character U+0000, at which ONNX Runtime would cut it off");
        }
        tensor.setBytes((int) count, text.getBytes(StandardCharsets.UTF_8));
    }

    private Refusal unfit(String what) {
        return Refusal.invalid("element " + count + " of input '" + input + "' has " + what);
    }

    private static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            if (Character.isSurrogate(character)) {
                boolean pair = i + 1 < text.length() && Character.isSurrogatePair(character, text.charAt(i + 1));
                if (!pair) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    private Refusal wrongType(String expected) throws IOException {
        return Refusal.invalid("element " + count + " of input '" + input + "' is " + JacksonJson.describe(parser)
                + ", expected " + expected + " for " + tensor.datatype());
    }

    private Refusal outOfRange() throws IOException {
        return Refusal.invalid("element " + count + " of input '" + input + "' is " + JacksonJson.describe(parser)
                + ", out of the range of " + tensor.datatype());
    }
}
