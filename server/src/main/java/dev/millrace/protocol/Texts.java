// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.memory.Hot;

/// The simple values of a request, as this protocol has them. Threads: stateless.
final class Texts {
    /// The parameter by which a tensor would lie in memory that client and server share.
    static final byte[] SHARED_MEMORY = JsonWriter.ascii("shared_memory_region");

    private Texts() {}

    /// Reads a string; null where there is a null.
    ///
    /// @throws Refusal if it is something else
    static String optional(JsonReader json, String what) {
        switch (json.token()) {
            case STRING -> {
                json.readText();
                if (json.hasLoneSurrogate()) {
                    throw Refusal.invalid(what + " has half a surrogate pair, which no UTF-8 text has");
                }
                return json.text();
            }
            case NULL -> {
                json.skip();
                return null;
            }
            default -> throw Refusal.invalid(what + " is " + json.describe() + ", expected a string");
        }
    }

    /// Goes into an object of parameters; false, and nothing is to be read, where there is a null.
    ///
    /// @throws Refusal if it is something else
    static boolean enterParameters(JsonReader json, String what) {
        switch (json.token()) {
            case OBJECT -> json.enterObject();
            case NULL -> {
                json.skip();
                return false;
            }
            default -> throw Refusal.invalid(what + " is " + json.describe() + ", expected an object");
        }
        return true;
    }

    /// Reads true or false.
    ///
    /// @throws Refusal if it is something else
    static boolean truth(JsonReader json, String what) {
        Token token = json.token();
        if (token != Token.TRUE && token != Token.FALSE) {
            throw Refusal.invalid(what + " is " + json.describe() + ", expected true or false");
        }
        json.readLiteral(token);
        return token == Token.TRUE;
    }

    /// Says that there is no shared memory.
    static Refusal sharedMemory(String tensor) {
        return Refusal.unsupported(
                tensor + " has the parameter 'shared_memory_region', and shared memory is not supported");
    }

    /// Reads an integer from 0 to the greatest long; -1 if it is none.
    @Hot
    static long natural(JsonReader json) {
        if (json.token() != Token.NUMBER) {
            return -1;
        }
        json.readNumber();
        if (!json.isInteger()) {
            return -1;
        }
        long value = json.integer(Long.MIN_VALUE, Long.MAX_VALUE);
        return json.isInRange() ? Math.max(-1, value) : -1;
    }
}
