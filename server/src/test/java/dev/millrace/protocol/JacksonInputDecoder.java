// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.io.IOException;
import java.util.Arrays;

/// The oracle for [InputDecoder], by Jackson's parser: reads one object of a request's `inputs` into the call's tensor
/// of that name.
///
/// Its keys may come in any order. Elements that come before name, datatype and shape are known are passed over first,
/// and read from the body again at the object's end. Threads: one.
final class JacksonInputDecoder {
    /// More dimensions than any model in practice has; NumPy's limit.
    private static final int MAX_RANK = 32;

    private final JsonFactory json;
    private final JacksonDataDecoder data = new JacksonDataDecoder();
    private final long[] shape = new long[MAX_RANK];

    private byte[] body;
    private int bodyOffset;
    private int bodyLength;
    private Call call;
    private boolean[] seen = {};

    private int position;
    private String name;
    private String datatype;
    private int rank;
    private int dataStart;
    private int dataEnd;
    private boolean resolved;
    private boolean decoded;
    private TensorSpec spec;
    private Tensor tensor;
    private long elements;

    JacksonInputDecoder(JsonFactory json) {
        this.json = json;
    }

    /// Gets ready for the inputs of a request whose JSON starts at `offset` of `body`.
    void begin(Call call, byte[] body, int offset, int length) {
        this.call = call;
        this.body = body;
        this.bodyOffset = offset;
        this.bodyLength = length;
        int inputs = call.signature().inputs().size();
        if (seen.length == inputs) {
            Arrays.fill(seen, false);
        } else {
            seen = new boolean[inputs];
        }
    }

    /// Drops what belongs to the request.
    void end() {
        call = null;
        body = null;
        spec = null;
        tensor = null;
    }

    /// Checks that every input was there.
    void requireAll() {
        for (int i = 0; i < seen.length; i++) {
            if (!seen[i]) {
                TensorSpec missing = call.signature().inputs().get(i);
                throw Refusal.invalid("input '" + missing.name() + "' is missing, expected " + missing.datatype()
                        + " of shape " + missing.shape());
            }
        }
    }

    /// Reads the object that starts at the parser's current token.
    ///
    /// @param index its place in `inputs`, for messages
    void decode(JsonParser parser, int index) throws IOException {
        position = index;
        name = null;
        datatype = null;
        rank = -1;
        dataStart = -1;
        resolved = false;
        decoded = false;
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw Refusal.invalid(label() + " is " + JacksonJson.describe(parser) + ", expected an object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            member(parser, key);
        }
        if (!decoded) {
            decodeLate();
        }
    }

    private String label() {
        return name == null ? "inputs[" + position + "]" : "input '" + name + "'";
    }

    private void member(JsonParser parser, String key) throws IOException {
        switch (key) {
            case "name" -> {
                requireUndecided(key);
                name = JacksonJson.text(parser, "the name of " + label());
            }
            case "datatype" -> {
                requireUndecided(key);
                datatype = JacksonJson.text(parser, "the datatype of " + label());
            }
            case "shape" -> {
                requireUndecided(key);
                readShape(parser);
            }
            case "data" -> readData(parser);
            default -> parser.skipChildren();
        }
    }

    /// A second value cannot count any more once elements were read by the first.
    private void requireUndecided(String key) {
        if (resolved) {
            throw Refusal.invalid("'" + key + "' of " + label() + " comes a second time");
        }
    }

    private void readShape(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw Refusal.invalid(
                    "the shape of " + label() + " is " + JacksonJson.describe(parser) + ", expected an array");
        }
        rank = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (rank == MAX_RANK) {
                throw Refusal.invalid("the shape of " + label() + " has more than " + MAX_RANK + " dimensions");
            }
            shape[rank] = dimension(parser);
            rank++;
        }
    }

    private long dimension(JsonParser parser) throws IOException {
        boolean fits = parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
        long dimension = fits ? parser.getLongValue() : -1;
        if (dimension < 0) {
            throw Refusal.invalid("dimension " + rank + " in the shape of " + label() + " is "
                    + JacksonJson.describe(parser) + ", expected an integer from 0 to " + Long.MAX_VALUE);
        }
        return dimension;
    }

    private void readData(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw Refusal.invalid(
                    "the data of " + label() + " is " + JacksonJson.describe(parser) + ", expected an array");
        }
        if (name != null && datatype != null && rank >= 0) {
            resolve();
            decodeData(parser);
        } else {
            dataStart = (int) parser.currentTokenLocation().getByteOffset();
            parser.skipChildren();
            dataEnd = (int) parser.currentLocation().getByteOffset();
        }
    }

    private void decodeLate() throws IOException {
        if (name == null) {
            throw Refusal.invalid("inputs[" + position + "] has no name");
        }
        if (datatype == null) {
            throw Refusal.invalid(label() + " has no datatype");
        }
        if (rank < 0) {
            throw Refusal.invalid(label() + " has no shape");
        }
        resolve();
        if (dataStart < 0) {
            throw Refusal.invalid(label() + " has no data; tensors are taken as JSON only");
        }
        try (JsonParser again = json.createParser(body, bodyOffset + dataStart, dataEnd - dataStart)) {
            again.nextToken();
            decodeData(again);
        }
    }

    /// Finds the tensor that name, datatype and shape ask for, and checks that they fit.
    private void resolve() {
        if (resolved) {
            return;
        }
        Signature signature = call.signature();
        int index = signature.inputIndex(name);
        if (index < 0) {
            throw Refusal.invalid("model '" + call.model() + "' has no input '" + name + "'; it has "
                    + signature.inputs().stream().map(TensorSpec::name).toList());
        }
        if (seen[index]) {
            throw Refusal.invalid(label() + " comes a second time");
        }
        spec = signature.inputs().get(index);
        tensor = call.input(index);
        if (!spec.datatype().name().equals(datatype)) {
            throw wrongDatatype();
        }
        requireShape();
        seen[index] = true;
        resolved = true;
    }

    private Refusal wrongDatatype() {
        String unknown = DataType.named(datatype).isPresent() ? "" : ", which is none";
        return Refusal.invalid(
                label() + " has datatype '" + datatype + "'" + unknown + ", expected " + spec.datatype());
    }

    private void requireShape() {
        boolean fits = rank == spec.shape().size();
        for (int axis = 0; axis < rank && fits; axis++) {
            long expected = spec.shape().get(axis);
            fits = expected < 0 || expected == shape[axis];
        }
        if (!fits) {
            throw Refusal.invalid(label() + " has shape " + shown() + ", expected " + spec.shape());
        }
        elements = 1;
        for (int axis = 0; axis < rank; axis++) {
            if (Math.multiplyHigh(elements, shape[axis]) != 0 || elements * shape[axis] < 0) {
                throw Refusal.invalid(label() + " has shape " + shown() + ", more elements than can be counted");
            }
            elements *= shape[axis];
        }
    }

    private String shown() {
        return Arrays.toString(Arrays.copyOf(shape, rank));
    }

    private void decodeData(JsonParser parser) throws IOException {
        // An element takes a byte and more: a shape that the body cannot fill must not cost memory.
        boolean possible = elements <= bodyLength;
        if (possible) {
            tensor.reshape(shape, rank);
        }
        data.decode(parser, name, tensor, shape, rank, elements, possible ? elements : 0);
        decoded = true;
    }
}
