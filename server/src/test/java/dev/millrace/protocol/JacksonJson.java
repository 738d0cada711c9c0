// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;

/// How the oracle parses request bodies, and names what came in error messages. Threads: any.
final class JacksonJson {
    /// Deeper than any tensor, and nothing to overflow a stack with.
    private static final int MAX_DEPTH = 100;

    private static final int MAX_SHOWN = 40;

    private JacksonJson() {}

    /// UTF-8 only; the tokens NaN, Infinity and -Infinity are numbers, as this protocol's servers write them.
    static JsonFactory factory(int maxBodyBytes) {
        return new JsonFactoryBuilder()
                // Names come from strangers: interning them costs, and is never paid back.
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                // Offsets into the body have to be offsets in bytes.
                .disable(JsonFactory.Feature.CHARSET_DETECTION)
                .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                .recyclerPool(JsonRecyclerPools.threadLocalPool())
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxStringLength(maxBodyBytes)
                        .build())
                .build();
    }

    /// The current token in words, for an error message.
    static String describe(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        return switch (token) {
            case null -> "nothing";
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "the string \"" + shorten(parser.getText()) + '"';
            case VALUE_NUMBER_FLOAT, VALUE_NUMBER_INT -> shorten(parser.getText());
            default -> token.asString();
        };
    }

    private static String shorten(String text) {
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
    }

    /// The current string; null where there is a null.
    ///
    /// @throws Refusal if it is something else
    static String text(JsonParser parser, String what) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_STRING -> parser.getText();
            case VALUE_NULL -> null;
            default -> throw Refusal.invalid(what + " is " + describe(parser) + ", expected a string");
        };
    }
}
