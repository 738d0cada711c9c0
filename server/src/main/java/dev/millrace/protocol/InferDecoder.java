// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.Hot;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Reads the JSON body of an inference request into a call's tensors, in one pass and without a tree.
///
/// Unknown keys are passed over. Threads: one; results belong to the last request that was decoded.
public final class InferDecoder {
    /// A year: longer timeouts are as good as none, and nanoseconds of this do not overflow.
    public static final long MAX_TIMEOUT_MICROS = 365L * 24 * 3600 * 1_000_000;

    private static final byte[] ID = JsonWriter.ascii("id");
    private static final byte[] INPUTS = JsonWriter.ascii("inputs");
    private static final byte[] OUTPUTS = JsonWriter.ascii("outputs");
    private static final byte[] PARAMETERS = JsonWriter.ascii("parameters");
    private static final byte[] TIMEOUT = JsonWriter.ascii("timeout");
    private static final byte[] PRIORITY = JsonWriter.ascii("priority");
    private static final byte[] NAME = JsonWriter.ascii("name");

    private final Limits limits;
    private final JsonReader json;
    private final InputDecoder inputs;

    private String id;
    private int[] outputs;
    private long timeoutMicros;
    private int priority;

    /// @param limits what a request may have
    public InferDecoder(Limits limits) {
        this.limits = limits;
        this.json = new JsonReader(limits.count(Limit.MAX_JSON_DEPTH));
        this.inputs = new InputDecoder(json, limits);
    }

    /// The request's id, or null.
    public String id() {
        return id;
    }

    /// The outputs that are wanted, in the request's order; null for all.
    public int[] outputs() {
        return outputs;
    }

    /// How long the answer may take, or 0 for no limit.
    public long timeoutMicros() {
        return timeoutMicros;
    }

    /// The priority that the request asks for; 0 for the model's default.
    @Hot
    public int priority() {
        return priority;
    }

    /// Reads a body.
    ///
    /// @param inputNames the names of the model's inputs in UTF-8
    /// @param body has [JsonReader#PADDING] bytes after the request's `length`
    /// @throws Refusal if it is no request that the call's model can answer
    @Hot
    public void decode(Call call, byte[][] inputNames, byte[] body, int offset, int length) {
        id = null;
        outputs = null;
        timeoutMicros = 0;
        priority = 0;
        int mark = markLength(body, offset, length);
        json.reset(body, offset + mark, length - mark);
        inputs.begin(call, inputNames, length - mark);
        try {
            decode(call.signature());
            inputs.requireAll();
        } catch (JsonException e) {
            throw malformed(e);
        } finally {
            inputs.end();
        }
    }

    private Refusal malformed(JsonException e) {
        String message = "malformed JSON at " + e.getMessage();
        return json.isTooDeep() ? Refusal.tooDeep(message) : Refusal.invalid(message);
    }

    /// The bytes of a byte order mark, which some senders put before UTF-8.
    @Hot
    private static int markLength(byte[] body, int offset, int length) {
        boolean mark = length >= 3
                && body[offset] == (byte) 0xEF
                && body[offset + 1] == (byte) 0xBB
                && body[offset + 2] == (byte) 0xBF;
        return mark ? 3 : 0;
    }

    @Hot
    private void decode(Signature signature) {
        if (json.token() != Token.OBJECT) {
            throw notAnObject();
        }
        json.enterObject();
        while (json.nextMember()) {
            if (json.isKey(INPUTS)) {
                readInputs();
            } else if (json.isKey(ID)) {
                readId();
            } else if (json.isKey(OUTPUTS)) {
                readOutputs(signature);
            } else if (json.isKey(PARAMETERS)) {
                readParameters();
            } else {
                json.skip();
            }
        }
        if (json.token() != Token.END) {
            throw notTheEnd();
        }
    }

    private void readId() {
        id = Texts.optional(json, "the id");
        if (id != null && id.length() > limits.get(Limit.MAX_ID_BYTES) / 3) {
            int bytes = id.getBytes(StandardCharsets.UTF_8).length;
            if (bytes > limits.get(Limit.MAX_ID_BYTES)) {
                throw Refusal.tooLarge(limits, Limit.MAX_ID_BYTES, "the id has " + bytes + " bytes");
            }
        }
    }

    private Refusal notAnObject() {
        return Refusal.invalid(
                json.token() == Token.END
                        ? "the body is empty, expected a JSON object"
                        : "the body is " + json.describe() + ", expected a JSON object");
    }

    private Refusal notTheEnd() {
        return Refusal.invalid("after the request's JSON object comes " + json.describe());
    }

    @Hot
    private void readInputs() {
        if (json.token() != Token.ARRAY) {
            throw notAnArray("inputs");
        }
        json.enterArray();
        for (int index = 0; json.nextElement(); index++) {
            inputs.decode(index);
        }
    }

    private Refusal notAnArray(String key) {
        return Refusal.invalid("'" + key + "' is " + json.describe() + ", expected an array");
    }

    private void readOutputs(Signature signature) {
        outputs = null;
        if (json.token() == Token.NULL) {
            json.skip();
            return;
        }
        if (json.token() != Token.ARRAY) {
            throw notAnArray("outputs");
        }
        int[] chosen = new int[signature.outputs().size()];
        int count = 0;
        json.enterArray();
        while (json.nextElement()) {
            int index = readOutput(signature);
            for (int i = 0; i < count; i++) {
                if (chosen[i] == index) {
                    throw Refusal.invalid(
                            "output '" + signature.outputs().get(index).name() + "' is asked for a second time");
                }
            }
            chosen[count++] = index;
        }
        outputs = count == 0 ? null : Arrays.copyOf(chosen, count);
    }

    private int readOutput(Signature signature) {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("an element of 'outputs' is " + json.describe() + ", expected an object");
        }
        String name = null;
        json.enterObject();
        while (json.nextMember()) {
            if (json.isKey(NAME)) {
                name = Texts.optional(json, "the name of an output");
            } else {
                json.skip();
            }
        }
        if (name == null) {
            throw Refusal.invalid("an element of 'outputs' has no name");
        }
        int index = signature.outputIndex(name);
        if (index < 0) {
            throw Refusal.invalid("the model has no output '" + name + "'; it has "
                    + signature.outputs().stream().map(TensorSpec::name).toList());
        }
        return index;
    }

    private void readParameters() {
        if (json.token() == Token.NULL) {
            json.skip();
            return;
        }
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("'parameters' is " + json.describe() + ", expected an object");
        }
        json.enterObject();
        for (int count = 1; json.nextMember(); count++) {
            if (count > limits.get(Limit.MAX_PARAMETERS)) {
                throw Refusal.tooLarge(limits, Limit.MAX_PARAMETERS, "'parameters' has " + count + " and more");
            }
            if (json.isKey(TIMEOUT)) {
                timeoutMicros = timeout();
            } else if (json.isKey(PRIORITY)) {
                priority = priorityLevel();
            } else {
                json.skip();
            }
        }
    }

    private int priorityLevel() {
        long level = Texts.natural(json);
        if (level < 0) {
            throw Refusal.invalid("parameter 'priority' is " + json.describe() + ", expected an integer from 0");
        }
        return (int) Math.min(level, Integer.MAX_VALUE);
    }

    private long timeout() {
        long micros = Texts.natural(json);
        if (micros < 0) {
            throw Refusal.invalid(
                    "parameter 'timeout' is " + json.describe() + ", expected microseconds as an integer from 0");
        }
        return Math.min(micros, MAX_TIMEOUT_MICROS);
    }
}
