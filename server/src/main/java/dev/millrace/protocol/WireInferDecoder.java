// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.Hot;
import dev.millrace.model.Signature;
import dev.millrace.runtime.Call;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Reads a `ModelInferRequest` from the wire into a call's tensors, without a message object.
///
/// Fields may come in any order, so it goes through the outermost ones several times: for what the request is about,
/// for the inputs, and for the bytes of each. Unknown fields are passed over.
///
/// Threads: one; results belong to the last request that was opened.
public final class WireInferDecoder {
    private static final int MODEL_NAME = 1 << 3 | Wire.LENGTH;
    private static final int MODEL_VERSION = 2 << 3 | Wire.LENGTH;
    private static final int ID = 3 << 3 | Wire.LENGTH;
    private static final int PARAMETERS = 4 << 3 | Wire.LENGTH;
    private static final int INPUTS = 5 << 3 | Wire.LENGTH;
    private static final int OUTPUTS = 6 << 3 | Wire.LENGTH;
    private static final int RAW_INPUT_CONTENTS = 7 << 3 | Wire.LENGTH;

    private static final int OUTPUT_NAME = 1 << 3 | Wire.LENGTH;
    private static final int OUTPUT_PARAMETERS = 2 << 3 | Wire.LENGTH;

    /// A year: longer timeouts are as good as none, and nanoseconds of this do not overflow.
    private static final long MAX_TIMEOUT_MICROS = 365L * 24 * 3600 * 1_000_000;

    private static final byte[] NO_BYTES = {};
    private static final byte[] TIMEOUT = JsonWriter.ascii("timeout");
    private static final byte[] PRIORITY = JsonWriter.ascii("priority");
    private static final byte[] SEQUENCE_ID = JsonWriter.ascii("sequence_id");
    private static final byte[] SEQUENCE_START = JsonWriter.ascii("sequence_start");
    private static final byte[] SEQUENCE_END = JsonWriter.ascii("sequence_end");
    private static final byte[] SHARED_MEMORY = JsonWriter.ascii("shared_memory_region");
    private static final byte[] CLASSIFICATION = JsonWriter.ascii("classification");

    private final Limits limits;
    private final Wire wire = new Wire();
    private final Parameter parameter = new Parameter(wire);
    private final WireInputDecoder input;

    private int nameAt;
    private int nameSize;
    private int versionAt;
    private int versionSize;
    private int inputCount;
    private int outputCount;
    private int rawCount;
    private int parameterCount;
    /// Of the output that was read last.
    private int classCount;
    private String id;
    private long timeoutMicros;
    private int priority;

    /// The name of the model that was asked for last, which is mostly that of the next request.
    private String lastName = "";

    private byte[] lastNameBytes = NO_BYTES;

    /// @param limits what a request may have
    public WireInferDecoder(Limits limits) {
        this.limits = limits;
        this.input = new WireInputDecoder(wire, parameter, limits);
    }

    /// Begins with another request, none of whose bytes are there.
    public void begin() {
        wire.close();
        nameSize = 0;
        versionSize = 0;
        inputCount = 0;
        outputCount = 0;
        rawCount = 0;
        parameterCount = 0;
        id = null;
        timeoutMicros = 0;
        priority = 0;
    }

    /// Adds bytes to the end of the request. They have to stay there until [#end()].
    public void add(MemorySegment bytes) {
        wire.add(bytes);
    }

    /// Finds out what the request is about, all of whose bytes are there.
    ///
    /// @throws Refusal if it is none
    public void open() {
        wire.open();
        look();
    }

    /// Forgets the request's bytes; results stay.
    public void end() {
        wire.close();
        input.clear();
    }

    /// The bytes of the request.
    public int length() {
        return wire.length();
    }

    @Hot
    private void look() {
        while (wire.hasMore()) {
            int tag = wire.tag();
            switch (tag) {
                case MODEL_NAME -> {
                    nameSize = wire.size();
                    nameAt = wire.position();
                    wire.advance(nameSize);
                }
                case MODEL_VERSION -> {
                    versionSize = wire.size();
                    versionAt = wire.position();
                    wire.advance(versionSize);
                }
                case ID -> readId();
                case PARAMETERS -> readParameter();
                default -> {
                    inputCount += tag == INPUTS ? 1 : 0;
                    outputCount += tag == OUTPUTS ? 1 : 0;
                    rawCount += tag == RAW_INPUT_CONTENTS ? 1 : 0;
                    wire.skip(tag);
                }
            }
        }
    }

    private void readId() {
        int size = wire.size();
        if (size > limits.get(Limit.MAX_ID_BYTES)) {
            throw Refusal.tooLarge(limits, Limit.MAX_ID_BYTES, "the id has " + size + " bytes");
        }
        id = wire.text(wire.position(), size, "the id");
        wire.advance(size);
    }

    private void readParameter() {
        parameterCount++;
        if (parameterCount > limits.get(Limit.MAX_PARAMETERS)) {
            throw Refusal.tooLarge(limits, Limit.MAX_PARAMETERS, "'parameters' has " + parameterCount + " and more");
        }
        parameter.read();
        if (parameter.is(TIMEOUT)) {
            timeoutMicros = Math.min(parameter.natural("timeout", "microseconds as an integer"), MAX_TIMEOUT_MICROS);
        } else if (parameter.is(PRIORITY)) {
            priority = (int) Math.min(parameter.natural("priority", "an integer"), Integer.MAX_VALUE);
        } else if (parameter.is(SEQUENCE_ID)) {
            RequestParameters.refuseSequence("sequence_id", hasSequence());
        } else if (parameter.is(SEQUENCE_START)) {
            RequestParameters.refuseSequence("sequence_start", parameter.truth("sequence_start"));
        } else if (parameter.is(SEQUENCE_END)) {
            RequestParameters.refuseSequence("sequence_end", parameter.truth("sequence_end"));
        } else {
            RequestParameters.requireNotReserved(parameter.name());
        }
    }

    /// Whether it belongs to a sequence: 0 and the empty string say that it does not.
    private boolean hasSequence() {
        return parameter.isText()
                ? !parameter.isEmpty()
                : parameter.natural("sequence_id", "a string or an integer") != 0;
    }

    /// The name of the model.
    ///
    /// @throws Refusal if it is no text
    public String modelName() {
        if (!wire.is(nameAt, nameSize, lastNameBytes)) {
            lastName = wire.text(nameAt, nameSize, "the name of the model");
            lastNameBytes = lastName.getBytes(StandardCharsets.UTF_8);
        }
        return lastName;
    }

    /// The version of the model; null for the one that is live.
    ///
    /// @throws Refusal if it is no text
    public String modelVersion() {
        return versionSize == 0 ? null : wire.text(versionAt, versionSize, "the version of the model");
    }

    /// The request's id; null if it has none, or an empty one, which is the same here.
    public String id() {
        return id == null || id.isEmpty() ? null : id;
    }

    /// How long the answer may take, or 0 for no limit.
    @Hot
    public long timeoutMicros() {
        return timeoutMicros;
    }

    /// The priority that the request asks for; 0 for the model's default.
    @Hot
    public int priority() {
        return priority;
    }

    /// Reads the tensors into a call's.
    ///
    /// @param names the names of the model's inputs in UTF-8
    /// @throws Refusal if the model of the call cannot answer the request
    @Hot
    public void decode(Call call, byte[][] names) {
        if (rawCount > 0 && rawCount != inputCount) {
            throw rawForSome();
        }
        input.beginRequest(call, names);
        int nextInput = 0;
        int nextRaw = 0;
        for (int i = 0; i < inputCount; i++) {
            find(INPUTS, nextInput);
            int size = wire.size();
            int from = wire.position();
            nextInput = from + size;
            int rawFrom = 0;
            int rawSize = WireInputDecoder.NOT_RAW;
            if (rawCount > 0) {
                find(RAW_INPUT_CONTENTS, nextRaw);
                rawSize = wire.size();
                rawFrom = wire.position();
                nextRaw = rawFrom + rawSize;
            }
            input.read(i, from, size, rawFrom, rawSize);
        }
        input.requireEach();
    }

    /// Goes to the value of the next field of a kind, which there is.
    @Hot
    private void find(int field, int from) {
        wire.seek(from, wire.length());
        for (int tag = wire.tag(); tag != field; tag = wire.tag()) {
            wire.skip(tag);
        }
    }

    private Refusal rawForSome() {
        return Refusal.invalid("raw_input_contents has " + rawCount + (rawCount == 1 ? " element" : " elements")
                + ", expected one for each of the " + inputCount + " inputs, or none");
    }

    /// The outputs that are wanted, in the request's order.
    ///
    /// @param call has reports made if they are among them
    /// @throws Refusal if the model has no such output, or one is asked for twice
    public RequestedOutputs outputs(Call call) {
        if (outputCount == 0) {
            return RequestedOutputs.ALL;
        }
        RequestedOutputs chosen = chosen(call.signature());
        InferDecoder.report(call, chosen);
        return chosen;
    }

    private RequestedOutputs chosen(Signature signature) {
        int[] chosen = new int[signature.outputs().size() + signature.reports().size()];
        int[] classes = new int[chosen.length];
        boolean classified = false;
        int next = 0;
        for (int count = 0; count < outputCount; count++) {
            find(OUTPUTS, next);
            int outer = wire.enter();
            next = wire.limit();
            int index = output(signature);
            wire.leave(outer);
            for (int i = 0; i < count; i++) {
                if (chosen[i] == index) {
                    throw Refusal.invalid("output '" + signature.answer(index).name() + "' is asked for a second time");
                }
            }
            chosen[count] = index;
            classes[count] = classCount;
            classified |= classCount > 0;
        }
        return RequestedOutputs.of(
                Arrays.copyOf(chosen, outputCount), new boolean[outputCount], classified ? classes : null);
    }

    private int output(Signature signature) {
        String name = "";
        classCount = 0;
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == OUTPUT_NAME) {
                int size = wire.size();
                name = wire.text(wire.position(), size, "the name of an output");
                wire.advance(size);
            } else if (tag == OUTPUT_PARAMETERS) {
                parameter.read();
                if (parameter.is(SHARED_MEMORY)) {
                    throw sharedMemory("output '" + name + "'");
                }
                if (parameter.is(CLASSIFICATION)) {
                    classCount = (int)
                            Math.min(parameter.natural("classification", "a number of classes"), Integer.MAX_VALUE);
                }
            } else {
                wire.skip(tag);
            }
        }
        if (name.isEmpty()) {
            throw Refusal.invalid("an element of 'outputs' has no name");
        }
        int index = OutputDecoder.index(signature, name);
        if (classCount > 0) {
            OutputDecoder.requireClasses(signature, index);
        }
        return index;
    }

    static Refusal sharedMemory(String tensor) {
        return Refusal.unsupported(
                tensor + " has the parameter 'shared_memory_region', and shared memory is not supported");
    }

    /// One entry of a map of parameters. Threads: one; values are those of the last entry.
    static final class Parameter {
        private static final int KEY = 1 << 3 | Wire.LENGTH;
        private static final int VALUE = 2 << 3 | Wire.LENGTH;
        private static final int BOOL = 1 << 3 | Wire.VARINT;
        private static final int INT64 = 2 << 3 | Wire.VARINT;
        private static final int STRING = 3 << 3 | Wire.LENGTH;
        private static final int DOUBLE = 4 << 3 | Wire.FIXED64;
        private static final int UINT64 = 5 << 3 | Wire.VARINT;

        private final Wire wire;
        private int keyAt;
        private int keySize;
        private int kind;
        private long bits;

        Parameter(Wire wire) {
            this.wire = wire;
        }

        /// Reads the entry that comes next.
        void read() {
            keySize = 0;
            kind = 0;
            int outer = wire.enter();
            while (wire.hasMore()) {
                int tag = wire.tag();
                if (tag == KEY) {
                    keySize = wire.size();
                    keyAt = wire.position();
                    wire.advance(keySize);
                } else if (tag == VALUE) {
                    readValue();
                } else {
                    wire.skip(tag);
                }
            }
            wire.leave(outer);
        }

        private void readValue() {
            int outer = wire.enter();
            while (wire.hasMore()) {
                int tag = wire.tag();
                switch (tag) {
                    case BOOL, INT64, UINT64 -> {
                        kind = tag;
                        bits = wire.varint();
                    }
                    case STRING -> {
                        kind = tag;
                        bits = wire.size();
                        wire.advance((int) bits);
                    }
                    case DOUBLE -> {
                        kind = tag;
                        wire.skip(tag);
                    }
                    default -> wire.skip(tag);
                }
            }
            wire.leave(outer);
        }

        /// Whether it is the one called so.
        boolean is(byte[] name) {
            return wire.is(keyAt, keySize, name);
        }

        /// What it is called.
        String name() {
            return wire.text(keyAt, keySize, "the name of a parameter");
        }

        /// Whether its value is a string.
        boolean isText() {
            return kind == STRING;
        }

        /// Whether its value, a string, has no characters.
        boolean isEmpty() {
            return bits == 0;
        }

        /// Its value as a truth.
        ///
        /// @throws Refusal if it is none
        boolean truth(String name) {
            if (kind != BOOL) {
                throw Refusal.invalid("parameter '" + name + "' is " + described() + ", expected true or false");
            }
            return bits != 0;
        }

        private String described() {
            return switch (kind) {
                case INT64 -> Long.toString(bits);
                case UINT64 -> Long.toUnsignedString(bits);
                case BOOL -> bits == 0 ? "false" : "true";
                case STRING -> "a string";
                case DOUBLE -> "a double";
                default -> "empty";
            };
        }

        /// Its value as an integer from 0.
        ///
        /// @throws Refusal if it is none
        long natural(String name, String expected) {
            if (kind == UINT64 && bits < 0) {
                return Long.MAX_VALUE;
            }
            if ((kind != INT64 && kind != UINT64) || bits < 0) {
                throw Refusal.invalid(
                        "parameter '" + name + "' is " + described() + ", expected " + expected + " from 0");
            }
            return bits;
        }
    }
}
