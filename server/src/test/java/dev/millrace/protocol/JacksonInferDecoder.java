// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.io.IOException;
import java.util.Arrays;

/// The oracle for [InferDecoder], by Jackson's parser: reads the JSON body of an inference request into a call's
/// tensors, in one pass and without a tree.
///
/// Unknown keys are passed over. Threads: one; results belong to the last request that was decoded.
final class JacksonInferDecoder {
    /// A year: longer timeouts are as good as none, and nanoseconds of this do not overflow.
    static final long MAX_TIMEOUT_MICROS = 365L * 24 * 3600 * 1_000_000;

    private final JsonFactory json;
    private final JacksonInputDecoder inputs;

    private String id;
    private int[] outputs;
    private long timeoutMicros;

    JacksonInferDecoder(JsonFactory json) {
        this.json = json;
        this.inputs = new JacksonInputDecoder(json);
    }

    /// The request's id, or null.
    String id() {
        return id;
    }

    /// The outputs that are wanted, in the request's order; null for all.
    int[] outputs() {
        return outputs;
    }

    /// How long the answer may take, or 0 for no limit.
    long timeoutMicros() {
        return timeoutMicros;
    }

    /// Reads a body.
    ///
    /// @throws Refusal if it is no request that the call's model can answer
    void decode(Call call, byte[] body, int offset, int length) {
        id = null;
        outputs = null;
        timeoutMicros = 0;
        int mark = markLength(body, offset, length);
        int start = offset + mark;
        inputs.begin(call, body, start, length - mark);
        try (JsonParser parser = json.createParser(body, start, length - mark)) {
            decode(parser, call.signature());
            inputs.requireAll();
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw Refusal.invalid("malformed JSON" + where + ": " + e.getOriginalMessage());
        } catch (IOException e) {
            throw Refusal.invalid("malformed JSON: " + e.getMessage());
        } finally {
            inputs.end();
        }
    }

    /// The bytes of a byte order mark, which some senders put before UTF-8.
    private static int markLength(byte[] body, int offset, int length) {
        boolean mark = length >= 3
                && body[offset] == (byte) 0xEF
                && body[offset + 1] == (byte) 0xBB
                && body[offset + 2] == (byte) 0xBF;
        return mark ? 3 : 0;
    }

    private void decode(JsonParser parser, Signature signature) throws IOException {
        JsonToken first = parser.nextToken();
        if (first == null) {
            throw Refusal.invalid("the body is empty, expected a JSON object");
        }
        if (first != JsonToken.START_OBJECT) {
            throw Refusal.invalid("the body is " + JacksonJson.describe(parser) + ", expected a JSON object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            switch (key) {
                case "id" -> id = JacksonJson.text(parser, "the id");
                case "inputs" -> readInputs(parser);
                case "outputs" -> readOutputs(parser, signature);
                case "parameters" -> readParameters(parser);
                default -> parser.skipChildren();
            }
        }
        if (parser.nextToken() != null) {
            throw Refusal.invalid("after the request's JSON object comes " + JacksonJson.describe(parser));
        }
    }

    private void readInputs(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw Refusal.invalid("'inputs' is " + JacksonJson.describe(parser) + ", expected an array");
        }
        for (int index = 0; parser.nextToken() != JsonToken.END_ARRAY; index++) {
            inputs.decode(parser, index);
        }
    }

    private void readOutputs(JsonParser parser, Signature signature) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            outputs = null;
            return;
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw Refusal.invalid("'outputs' is " + JacksonJson.describe(parser) + ", expected an array");
        }
        int[] chosen = new int[signature.outputs().size()];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            int index = readOutput(parser, signature);
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

    private static int readOutput(JsonParser parser, Signature signature) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw Refusal.invalid(
                    "an element of 'outputs' is " + JacksonJson.describe(parser) + ", expected an object");
        }
        String name = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            if (key.equals("name")) {
                name = JacksonJson.text(parser, "the name of an output");
            } else {
                parser.skipChildren();
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

    private void readParameters(JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw Refusal.invalid("'parameters' is " + JacksonJson.describe(parser) + ", expected an object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            if (key.equals("timeout")) {
                timeoutMicros = timeout(parser);
            } else {
                parser.skipChildren();
            }
        }
    }

    private static long timeout(JsonParser parser) throws IOException {
        boolean fits = parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
        long micros = fits ? parser.getLongValue() : -1;
        if (micros < 0) {
            throw Refusal.invalid("parameter 'timeout' is " + JacksonJson.describe(parser)
                    + ", expected microseconds as an integer from 0");
        }
        return Math.min(micros, MAX_TIMEOUT_MICROS);
    }
}
