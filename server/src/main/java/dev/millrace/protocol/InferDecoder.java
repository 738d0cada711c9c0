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
import dev.millrace.runtime.Call;
import java.nio.charset.StandardCharsets;

/// Reads the body of an inference request into a call's tensors: JSON in one pass and without a tree, and the bytes of
/// tensors that come behind it.
///
/// Unknown keys are passed over. Threads: one; results belong to the last request that was decoded.
public final class InferDecoder {
    private static final byte[] ID = JsonWriter.ascii("id");
    private static final byte[] INPUTS = JsonWriter.ascii("inputs");
    private static final byte[] OUTPUTS = JsonWriter.ascii("outputs");
    private static final byte[] PARAMETERS = JsonWriter.ascii("parameters");

    private final Limits limits;
    private final JsonReader json;
    private final InputDecoder inputs;

    private final OutputDecoder outputDecoder;
    private final RawDecoder rawDecoder;
    private final RequestParameters parameters;

    private String id;
    private RequestedOutputs outputs = RequestedOutputs.ALL;

    /// @param limits what a request may have
    public InferDecoder(Limits limits) {
        this.limits = limits;
        this.json = new JsonReader(limits.count(Limit.MAX_JSON_DEPTH));
        this.inputs = new InputDecoder(json, limits);
        this.outputDecoder = new OutputDecoder(json);
        this.rawDecoder = new RawDecoder(limits);
        this.parameters = new RequestParameters(limits);
    }

    /// The request's id, or null.
    public String id() {
        return id;
    }

    /// The outputs that are wanted.
    public RequestedOutputs outputs() {
        return outputs;
    }

    /// What the request's parameters ask for.
    @Hot
    public RequestParameters parameters() {
        return parameters;
    }

    /// Reads a body.
    ///
    /// @param inputNames the names of the model's inputs in UTF-8
    /// @param body has [JsonReader#PADDING] bytes after the JSON's `length`
    /// @param binary what comes behind the JSON, or null if that is the whole body
    /// @throws Refusal if it is no request that the call's model can answer
    @Hot
    public void decode(Call call, byte[][] inputNames, byte[] body, int offset, int length, BinaryBody binary) {
        clear();
        int mark = markLength(body, offset, length);
        json.reset(body, offset + mark, length - mark);
        inputs.begin(call, inputNames, length - mark, binary);
        try {
            decode(call.signature());
            inputs.requireAll();
            outputs = outputDecoder.result(parameters.binaryOutput());
            report(call, outputs);
        } catch (JsonException e) {
            throw malformed(e);
        } finally {
            inputs.end();
        }
    }

    /// Has reports made if they are among what is wanted.
    @Hot
    static void report(Call call, RequestedOutputs wanted) {
        if (call.raw() != null) {
            call.raw().reporting(wanted.hasReports(call.signature().outputs().size()));
        }
    }

    /// Takes a body without JSON, which is the elements of the model's only input. All outputs are wanted as bytes.
    ///
    /// @throws Refusal if the call's model cannot answer that
    public void decodeRaw(Call call, BinaryBody body) {
        clear();
        rawDecoder.decode(call, body);
        outputs = RequestedOutputs.ALL_BINARY;
    }

    @Hot
    private void clear() {
        id = null;
        outputs = RequestedOutputs.ALL;
        outputDecoder.clear();
        parameters.clear();
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
                outputDecoder.decode(signature);
            } else if (json.isKey(PARAMETERS)) {
                parameters.decode(json);
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
}
