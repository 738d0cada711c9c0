// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.Hot;

/// What a request's `parameters` ask for. Those that are not known are passed over; those that are, but ask for what is
/// not there, are refused by name.
///
/// Threads: one; values are those of the last request.
public final class RequestParameters {
    /// A year: longer timeouts are as good as none, and nanoseconds of this do not overflow.
    public static final long MAX_TIMEOUT_MICROS = 365L * 24 * 3600 * 1_000_000;

    private static final byte[] TIMEOUT = JsonWriter.ascii("timeout");
    private static final byte[] PRIORITY = JsonWriter.ascii("priority");
    private static final byte[] SEQUENCE_ID = JsonWriter.ascii("sequence_id");
    private static final byte[] SEQUENCE_START = JsonWriter.ascii("sequence_start");
    private static final byte[] SEQUENCE_END = JsonWriter.ascii("sequence_end");
    private static final String RESERVED = "triton_";
    private static final byte[] BINARY_OUTPUT = JsonWriter.ascii("binary_data_output");

    private final Limits limits;

    private long timeoutMicros;
    private int priority;
    private boolean binaryOutput;

    RequestParameters(Limits limits) {
        this.limits = limits;
    }

    /// Forgets what the last request asked for.
    @Hot
    void clear() {
        timeoutMicros = 0;
        priority = 0;
        binaryOutput = false;
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

    /// Whether outputs are wanted as bytes behind the JSON where they do not say otherwise.
    @Hot
    boolean binaryOutput() {
        return binaryOutput;
    }

    /// Reads the object that comes next.
    void decode(JsonReader json) {
        if (!Texts.enterParameters(json, "'parameters'")) {
            return;
        }
        for (int count = 1; json.nextMember(); count++) {
            if (count > limits.get(Limit.MAX_PARAMETERS)) {
                throw Refusal.tooLarge(limits, Limit.MAX_PARAMETERS, "'parameters' has " + count + " and more");
            }
            member(json);
        }
    }

    private void member(JsonReader json) {
        if (json.isKey(TIMEOUT)) {
            timeoutMicros = Math.min(natural(json, "timeout", "microseconds as an integer"), MAX_TIMEOUT_MICROS);
        } else if (json.isKey(PRIORITY)) {
            priority = (int) Math.min(natural(json, "priority", "an integer"), Integer.MAX_VALUE);
        } else if (json.isKey(BINARY_OUTPUT)) {
            binaryOutput = Texts.truth(json, "parameter 'binary_data_output'");
        } else if (json.isKey(SEQUENCE_ID)) {
            refuseSequence("sequence_id", hasSequence(json));
        } else if (json.isKey(SEQUENCE_START)) {
            refuseSequence("sequence_start", Texts.truth(json, "parameter 'sequence_start'"));
        } else if (json.isKey(SEQUENCE_END)) {
            refuseSequence("sequence_end", Texts.truth(json, "parameter 'sequence_end'"));
        } else {
            requireNotReserved(json.text());
            json.skip();
        }
    }

    /// @throws Refusal if nobody may give a parameter such a name
    static void requireNotReserved(String name) {
        if (name.startsWith(RESERVED)) {
            throw Refusal.invalid("parameter '" + name + "': names that begin with '" + RESERVED + "' are reserved");
        }
    }

    /// Whether it belongs to a sequence: 0 and the empty string say that it does not.
    private static boolean hasSequence(JsonReader json) {
        if (json.token() == Token.STRING) {
            json.readText();
            return !json.text().isEmpty();
        }
        return natural(json, "sequence_id", "a string or an integer") != 0;
    }

    /// @throws Refusal if somebody asks for what only sequences of requests have
    static void refuseSequence(String name, boolean asked) {
        if (asked) {
            throw Refusal.unsupported("parameter '" + name + "' is set, and sequences of requests are not supported");
        }
    }

    private static long natural(JsonReader json, String name, String expected) {
        long value = Texts.natural(json);
        if (value < 0) {
            throw Refusal.invalid(
                    "parameter '" + name + "' is " + json.describe() + ", expected " + expected + " from 0");
        }
        return value;
    }
}
