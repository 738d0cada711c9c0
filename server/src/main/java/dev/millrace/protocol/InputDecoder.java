// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.util.Arrays;

/// Reads one object of a request's `inputs` into the call's tensor of that name.
///
/// Its keys may come in any order. Elements that come before name, datatype and shape are known are passed over first,
/// and read again at the object's end. Threads: one.
final class InputDecoder {
    /// More dimensions than any model in practice has; NumPy's limit.
    private static final int MAX_RANK = 32;

    private static final byte[] NAME = JsonWriter.ascii("name");
    private static final byte[] DATATYPE = JsonWriter.ascii("datatype");
    private static final byte[] SHAPE = JsonWriter.ascii("shape");
    private static final byte[] DATA = JsonWriter.ascii("data");

    private static final DataType[] TYPES = DataType.values();
    private static final byte[][] TYPE_NAMES =
            Arrays.stream(TYPES).map(type -> JsonWriter.ascii(type.name())).toArray(byte[][]::new);

    private final JsonReader json;
    private final Limits limits;
    private final long maxElements;
    private final DataDecoder data = new DataDecoder();
    private final long[] shape = new long[MAX_RANK];

    private int bodyLength;
    private Call call;
    private byte[][] names = {};
    private boolean[] seen = {};

    private int position;
    private boolean named;
    /// The input of that name, or -1 if there is none: then `otherName` holds it.
    private int index;

    private String otherName;
    private boolean typed;
    /// The datatype, or null if it is none: then `otherType` holds what came.
    private DataType datatype;

    private String otherType;
    private int rank;
    private int dataStart;
    private boolean resolved;
    private boolean decoded;
    private TensorSpec spec;
    private Tensor tensor;
    private long elements;
    /// Of all inputs of the request so far.
    private long allElements;

    InputDecoder(JsonReader json, Limits limits) {
        this.json = json;
        this.limits = limits;
        this.maxElements = limits.get(Limit.MAX_ELEMENTS);
    }

    /// Gets ready for the inputs of a request.
    ///
    /// @param inputNames the names of the model's inputs in UTF-8
    /// @param length the length of the request's body
    @Hot
    void begin(Call filled, byte[][] inputNames, int length) {
        call = filled;
        names = inputNames;
        bodyLength = length;
        allElements = 0;
        if (seen.length == names.length) {
            Arrays.fill(seen, false);
        } else {
            resizeSeen();
        }
    }

    private void resizeSeen() {
        seen = new boolean[names.length];
    }

    /// Drops what belongs to the request.
    @Hot
    void end() {
        call = null;
        spec = null;
        tensor = null;
    }

    /// Checks that every input was there.
    @Hot
    void requireAll() {
        for (int i = 0; i < seen.length; i++) {
            if (!seen[i]) {
                throw missing(call.signature().inputs().get(i));
            }
        }
    }

    private static Refusal missing(TensorSpec input) {
        return Refusal.invalid(
                "input '" + input.name() + "' is missing, expected " + input.datatype() + " of shape " + input.shape());
    }

    /// Reads the object that comes next.
    ///
    /// @param place its place in `inputs`, for messages
    @Hot
    void decode(int place) {
        position = place;
        named = false;
        index = -1;
        otherName = null;
        typed = false;
        datatype = null;
        rank = -1;
        dataStart = -1;
        resolved = false;
        decoded = false;
        if (json.token() != Token.OBJECT) {
            throw notAnObject();
        }
        json.enterObject();
        while (json.nextMember()) {
            member();
        }
        if (!decoded) {
            decodeLate();
        }
    }

    private Refusal notAnObject() {
        return Refusal.invalid(label() + " is " + json.describe() + ", expected an object");
    }

    private String label() {
        return named ? "input '" + name() + "'" : "inputs[" + position + "]";
    }

    private String name() {
        return index < 0 ? otherName : call.signature().inputs().get(index).name();
    }

    @Hot
    private void member() {
        if (json.isKey(DATA)) {
            readData();
        } else if (json.isKey(NAME)) {
            requireUndecided("name");
            readName();
        } else if (json.isKey(SHAPE)) {
            requireUndecided("shape");
            readShape();
        } else if (json.isKey(DATATYPE)) {
            requireUndecided("datatype");
            readDatatype();
        } else {
            json.skip();
        }
    }

    /// A second value cannot count any more once elements were read by the first.
    @Hot
    private void requireUndecided(String key) {
        if (resolved) {
            throw secondTime(key);
        }
    }

    private Refusal secondTime(String key) {
        return Refusal.invalid("'" + key + "' of " + label() + " comes a second time");
    }

    @Hot
    private void readName() {
        if (json.token() == Token.STRING) {
            json.readText();
            for (int i = 0; i < names.length; i++) {
                if (json.isText(names[i])) {
                    index = i;
                    named = true;
                    return;
                }
            }
        }
        readOtherName();
    }

    private void readOtherName() {
        json.seekValue();
        otherName = Texts.optional(json, "the name of " + label());
        index = -1;
        named = otherName != null;
    }

    @Hot
    private void readDatatype() {
        if (json.token() == Token.STRING) {
            json.readText();
            for (int i = 0; i < TYPES.length; i++) {
                if (json.isText(TYPE_NAMES[i])) {
                    datatype = TYPES[i];
                    typed = true;
                    return;
                }
            }
        }
        readOtherType();
    }

    private void readOtherType() {
        json.seekValue();
        otherType = Texts.optional(json, "the datatype of " + label());
        datatype = null;
        typed = otherType != null;
    }

    @Hot
    private void readShape() {
        if (json.token() != Token.ARRAY) {
            throw notAnArray("shape");
        }
        json.enterArray();
        rank = 0;
        while (json.nextElement()) {
            if (rank == MAX_RANK) {
                throw tooManyDimensions();
            }
            long dimension = Texts.natural(json);
            if (dimension < 0) {
                throw wrongDimension();
            }
            shape[rank] = dimension;
            rank++;
        }
    }

    private Refusal notAnArray(String key) {
        return Refusal.invalid("the " + key + " of " + label() + " is " + json.describe() + ", expected an array");
    }

    private Refusal tooManyDimensions() {
        return Refusal.invalid("the shape of " + label() + " has more than " + MAX_RANK + " dimensions");
    }

    private Refusal wrongDimension() {
        return Refusal.invalid("dimension " + rank + " in the shape of " + label() + " is " + json.describe()
                + ", expected an integer from 0 to " + Long.MAX_VALUE);
    }

    @Hot
    private void readData() {
        if (json.token() != Token.ARRAY) {
            throw notAnArray("data");
        }
        if (named && typed && rank >= 0) {
            resolve();
            decodeData();
        } else {
            dataStart = json.position();
            json.skip();
        }
    }

    @Hot
    private void decodeLate() {
        requireComplete();
        resolve();
        if (dataStart < 0) {
            throw noData();
        }
        int end = json.position();
        json.seek(dataStart);
        decodeData();
        json.seek(end);
    }

    private void requireComplete() {
        if (!named) {
            throw Refusal.invalid("inputs[" + position + "] has no name");
        }
        if (!typed) {
            throw Refusal.invalid(label() + " has no datatype");
        }
        if (rank < 0) {
            throw Refusal.invalid(label() + " has no shape");
        }
    }

    private Refusal noData() {
        return Refusal.invalid(label() + " has no data; tensors are taken as JSON only");
    }

    /// Finds the tensor that name, datatype and shape ask for, and checks that they fit.
    @Hot
    private void resolve() {
        if (resolved) {
            return;
        }
        if (index < 0) {
            throw unknownName();
        }
        if (seen[index]) {
            throw inputTwice();
        }
        spec = call.signature().inputs().get(index);
        tensor = call.input(index);
        if (spec.datatype() != datatype) {
            throw wrongDatatype();
        }
        requireShape();
        seen[index] = true;
        resolved = true;
    }

    private Refusal inputTwice() {
        return Refusal.invalid(label() + " comes a second time");
    }

    private Refusal unknownName() {
        Signature signature = call.signature();
        return Refusal.invalid("model '" + call.model() + "' has no input '" + otherName + "'; it has "
                + signature.inputs().stream().map(TensorSpec::name).toList());
    }

    private Refusal wrongDatatype() {
        String came = datatype == null ? otherType + "', which is none" : datatype + "'";
        return Refusal.invalid(label() + " has datatype '" + came + ", expected " + spec.datatype());
    }

    @Hot
    private void requireShape() {
        boolean fits = rank == spec.shape().size();
        for (int axis = 0; axis < rank && fits; axis++) {
            long expected = spec.shape().get(axis);
            fits = expected < 0 || expected == shape[axis];
        }
        if (!fits) {
            throw wrongShape();
        }
        elements = 1;
        for (int axis = 0; axis < rank; axis++) {
            if (Math.multiplyHigh(elements, shape[axis]) != 0 || elements * shape[axis] < 0) {
                throw tooManyElements();
            }
            elements *= shape[axis];
        }
        if (elements <= bodyLength) {
            allElements += elements;
            if (allElements > maxElements) {
                throw overElements();
            }
        }
    }

    private Refusal overElements() {
        String others = allElements > elements ? " and " + (allElements - elements) + " of inputs before" : "";
        return Refusal.tooLarge(
                limits, Limit.MAX_ELEMENTS, label() + " has shape " + shown() + ", " + elements + " elements" + others);
    }

    private Refusal wrongShape() {
        return Refusal.invalid(label() + " has shape " + shown() + ", expected " + spec.shape());
    }

    private Refusal tooManyElements() {
        return Refusal.invalid(label() + " has shape " + shown() + ", more elements than can be counted");
    }

    private String shown() {
        return Arrays.toString(Arrays.copyOf(shape, rank));
    }

    @Hot
    private void decodeData() {
        // An element takes a byte and more: a shape that the body cannot fill must not cost memory.
        boolean possible = elements <= bodyLength;
        if (possible) {
            tensor.reshape(shape, rank);
        }
        data.decode(json, spec.name(), tensor, shape, rank, elements, possible ? elements : 0);
        decoded = true;
    }
}
