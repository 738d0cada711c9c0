// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limits;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.runtime.Call;
import java.util.Arrays;

/// Reads one object of a request's `inputs` into the call's tensor of that name.
///
/// Its elements are JSON, or come behind that as bytes, in the order of `inputs`. Its keys may come in any order.
/// Elements that come before name, datatype and shape are known are passed over first, and read again at the object's
/// end. Threads: one.
final class InputDecoder extends InputReader {
    private static final byte[] NAME = JsonWriter.ascii("name");
    private static final byte[] DATATYPE = JsonWriter.ascii("datatype");
    private static final byte[] SHAPE = JsonWriter.ascii("shape");
    private static final byte[] DATA = JsonWriter.ascii("data");
    private static final byte[] PARAMETERS = JsonWriter.ascii("parameters");
    private static final byte[] BINARY_SIZE = JsonWriter.ascii("binary_data_size");

    private static final DataType[] TYPES = DataType.values();
    private static final byte[][] TYPE_NAMES =
            Arrays.stream(TYPES).map(type -> JsonWriter.ascii(type.name())).toArray(byte[][]::new);

    private final JsonReader json;
    private final DataDecoder data = new DataDecoder(false);

    private int bodyLength;
    /// What comes behind the JSON, or null.
    private BinaryBody binary;
    /// What of that belongs to inputs so far.
    private int binaryTaken;

    private int position;
    private boolean named;
    /// The input of that name, or -1 if there is none: then `otherName` holds it.
    private int index;

    private String otherName;
    private boolean typed;
    /// The datatype, or null if it is none: then `otherType` holds what came.
    private DataType datatype;

    private String otherType;
    private int dataStart;
    /// How many bytes behind the JSON are its elements; -1 if they are JSON.
    private long binarySize;

    private boolean resolved;
    private boolean decoded;
    private Tensor tensor;
    private long elements;

    InputDecoder(JsonReader json, Limits limits) {
        super(limits);
        this.json = json;
    }

    /// Gets ready for the inputs of a request.
    ///
    /// @param inputNames the names of the model's inputs in UTF-8
    /// @param length the length of the request's JSON
    /// @param behind what comes behind that, or null
    @Hot
    void begin(Call filled, byte[][] inputNames, int length, BinaryBody behind) {
        beginRequest(filled, inputNames);
        binary = behind;
        binaryTaken = 0;
        bodyLength = length + (behind == null ? 0 : behind.length());
    }

    /// Drops what belongs to the request.
    @Hot
    void end() {
        endRequest();
        binary = null;
        tensor = null;
    }

    /// Checks that every input was there, and that nothing is left over.
    @Hot
    void requireAll() {
        requireEach();
        if (binary != null && binaryTaken < binary.length()) {
            throw leftOver();
        }
    }

    private Refusal leftOver() {
        return Refusal.invalid("behind the JSON come " + binary.length() + " bytes, of which the inputs have "
                + binaryTaken + " by their binary_data_size; " + (binary.length() - binaryTaken) + " are left over");
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
        rank(-1);
        dataStart = -1;
        binarySize = -1;
        resolved = false;
        decoded = false;
        if (json.token() != Token.OBJECT) {
            throw notAnObject();
        }
        json.enterObject();
        while (json.nextMember()) {
            member();
        }
        if (binarySize >= 0) {
            decodeBinary();
        } else if (!decoded) {
            decodeLate();
        }
    }

    private Refusal notAnObject() {
        return Refusal.invalid(label() + " is " + json.describe() + ", expected an object");
    }

    @Override
    String label() {
        return named ? "input '" + name() + "'" : "inputs[" + position + "]";
    }

    private String name() {
        return index < 0 ? otherName : call().signature().inputs().get(index).name();
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
        } else if (json.isKey(PARAMETERS)) {
            readParameters();
        } else {
            json.skip();
        }
    }

    @Hot
    private void readParameters() {
        if (json.token() != Token.OBJECT) {
            readNoParameters();
            return;
        }
        json.enterObject();
        while (json.nextMember()) {
            if (json.isKey(BINARY_SIZE)) {
                binarySize = Texts.natural(json);
                if (binarySize < 0) {
                    throw wrongBinarySize();
                }
            } else if (json.isKey(Texts.SHARED_MEMORY)) {
                throw sharedMemory();
            } else {
                json.skip();
            }
        }
    }

    private void readNoParameters() {
        if (Texts.enterParameters(json, "the parameters of " + label())) {
            throw new IllegalStateException("an object");
        }
    }

    private Refusal sharedMemory() {
        return Texts.sharedMemory(label());
    }

    private Refusal wrongBinarySize() {
        return Refusal.invalid(
                "binary_data_size of " + label() + " is " + json.describe() + ", expected an integer from 0");
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
            byte[][] names = names();
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

    private Refusal notADimension() {
        return wrongDimension(json.describe());
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
        rank(0);
        while (json.nextElement()) {
            long dimension = Texts.natural(json);
            if (dimension < 0) {
                throw notADimension();
            }
            addDimension(dimension);
        }
    }

    private Refusal notAnArray(String key) {
        return Refusal.invalid("the " + key + " of " + label() + " is " + json.describe() + ", expected an array");
    }

    @Hot
    private void readData() {
        if (json.token() != Token.ARRAY) {
            throw notAnArray("data");
        }
        if (named && typed && rank() >= 0) {
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

    @Hot
    private void decodeBinary() {
        if (decoded || dataStart >= 0) {
            throw dataTwice();
        }
        requireComplete();
        if (binary == null) {
            throw noBinary();
        }
        if (binarySize > binary.length() - binaryTaken) {
            throw tooFewBytes();
        }
        resolve();
        int size = (int) binarySize;
        BinaryDecoder.decode(spec().name(), tensor, shape(), rank(), binary, binaryTaken, size);
        binaryTaken += size;
        decoded = true;
    }

    private Refusal dataTwice() {
        return Refusal.invalid(label() + " has both data and binary_data_size, expected one of them");
    }

    private Refusal noBinary() {
        return Refusal.invalid(label() + " has binary_data_size " + binarySize
                + ", but without the header Inference-Header-Content-Length the body is JSON only");
    }

    private Refusal tooFewBytes() {
        return Refusal.invalid(label() + " has binary_data_size " + binarySize + ", but only "
                + (binary.length() - binaryTaken) + " bytes of the body are left for it");
    }

    private void requireComplete() {
        if (!named) {
            throw Refusal.invalid("inputs[" + position + "] has no name");
        }
        if (!typed) {
            throw Refusal.invalid(label() + " has no datatype");
        }
        if (rank() < 0) {
            throw Refusal.invalid(label() + " has no shape");
        }
    }

    private Refusal noData() {
        return Refusal.invalid(label() + " has no data, neither as JSON nor by binary_data_size");
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
        tensor = found(index);
        if (spec().datatype() != datatype) {
            throw wrongDatatype();
        }
        elements = elements(bodyLength);
        resolved = true;
    }

    private Refusal wrongDatatype() {
        return datatype == null ? wrongDatatype(otherType, false) : wrongDatatype(datatype.name(), true);
    }

    @Hot
    private void decodeData() {
        // An element takes a byte and more: a shape that the body cannot fill must not cost memory.
        boolean possible = elements <= bodyLength;
        if (possible) {
            tensor.reshape(shape(), rank());
        }
        data.decode(json, spec().name(), tensor, shape(), rank(), elements, possible ? elements : 0);
        decoded = true;
    }
}
