// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.memory.Hot;

/// The simple values of a request, as this protocol has them. Threads: stateless.
final class Texts {
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
