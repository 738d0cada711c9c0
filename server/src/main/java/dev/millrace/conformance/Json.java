// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A JSON value to look into. What is not as it is asked for is an [Unmet], which says what is there instead.
///
/// @param value a map, a list, a string, a [Digits], a boolean or null
record Json(Object value) {
    private static final int SHOWN = 120;

    /// A number, as it was written.
    record Digits(String text) {
        @Override
        public String toString() {
            return text;
        }
    }

    /// Reads text that is one JSON value.
    static Json parse(byte[] utf8) {
        byte[] text = Arrays.copyOf(utf8, utf8.length + JsonReader.PADDING);
        JsonReader json = new JsonReader();
        json.reset(text, 0, utf8.length);
        try {
            Json value = read(json, text);
            if (json.token() != JsonReader.Token.END) {
                throw Unmet.because("more than one JSON value");
            }
            return value;
        } catch (JsonException e) {
            throw Unmet.because("the body is no JSON: " + e.getMessage());
        }
    }

    private static Json read(JsonReader json, byte[] text) {
        JsonReader.Token token = json.token();
        switch (token) {
            case OBJECT -> {
                Map<String, Json> members = new LinkedHashMap<>();
                json.enterObject();
                while (json.nextMember()) {
                    String name = json.text();
                    members.put(name, read(json, text));
                }
                return new Json(members);
            }
            case ARRAY -> {
                List<Json> elements = new ArrayList<>();
                json.enterArray();
                while (json.nextElement()) {
                    elements.add(read(json, text));
                }
                return new Json(elements);
            }
            case STRING -> {
                json.readText();
                return new Json(json.text());
            }
            case NUMBER -> {
                int start = json.position();
                json.readNumber();
                return new Json(
                        new Digits(new String(text, start, json.position() - start, StandardCharsets.US_ASCII)));
            }
            case TRUE, FALSE, NULL -> {
                json.readLiteral(token);
                return new Json(token == JsonReader.Token.NULL ? null : token == JsonReader.Token.TRUE);
            }
            default -> throw Unmet.because("nothing where a JSON value was expected");
        }
    }

    @SuppressWarnings("unchecked") // as read() made it
    Map<String, Json> members() {
        if (!(value instanceof Map)) {
            throw Unmet.because("expected a JSON object, came " + shown());
        }
        return (Map<String, Json>) value;
    }

    @SuppressWarnings("unchecked") // as read() made it
    List<Json> elements() {
        if (!(value instanceof List)) {
            throw Unmet.because("expected a JSON array, came " + shown());
        }
        return (List<Json>) value;
    }

    boolean has(String name) {
        return members().containsKey(name);
    }

    Json get(String name) {
        Json member = members().get(name);
        if (member == null) {
            throw Unmet.because("there is no '" + name + "' in " + shown());
        }
        return member;
    }

    String text() {
        if (!(value instanceof String text)) {
            throw Unmet.because("expected a JSON string, came " + shown());
        }
        return text;
    }

    boolean bool() {
        if (!(value instanceof Boolean bool)) {
            throw Unmet.because("expected true or false, came " + shown());
        }
        return bool;
    }

    /// A number as it was written.
    String digits() {
        if (!(value instanceof Digits digits)) {
            throw Unmet.because("expected a JSON number, came " + shown());
        }
        return digits.text();
    }

    BigInteger integer() {
        try {
            return new BigInteger(digits());
        } catch (NumberFormatException _) {
            throw Unmet.because("expected an integer, came " + shown());
        }
    }

    long number() {
        try {
            return integer().longValueExact();
        } catch (ArithmeticException _) {
            throw Unmet.because("expected an integer of 64 bits, came " + shown());
        }
    }

    /// An array of integers.
    List<Long> numbers() {
        return elements().stream().map(Json::number).toList();
    }

    /// An array of strings.
    List<String> texts() {
        return elements().stream().map(Json::text).toList();
    }

    private String shown() {
        String text = toString();
        return text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text;
    }

    /// Looks like JSON, for people to read.
    @Override
    public String toString() {
        return value instanceof String text ? '"' + text + '"' : String.valueOf(value);
    }
}
