// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.protocol.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads a body that is an object, member by member. What is wrong is a [Refusal] that names the
/// member, what came and what was expected. Threads: one.
abstract class JsonObjectReader {
    private static final int MAX_SHOWN = 40;
    /// The longest name of anything, twice as long as any that there is.
    private static final int MAX_NAME = 256;

    final JsonReader json = new JsonReader();

    /// Reads the value of a member, or passes over it.
    abstract void member(String name);

    void read(byte[] body) {
        json.reset(Arrays.copyOf(body, body.length + JsonReader.PADDING), 0, body.length);
        try {
            if (json.token() != Token.OBJECT) {
                throw Refusal.invalid("the body is " + json.describe() + ", expected an object");
            }
            json.enterObject();
            while (json.nextMember()) {
                member(json.text());
            }
            if (json.token() != Token.END) {
                throw Refusal.invalid("behind the object is " + json.describe() + ", expected nothing");
            }
        } catch (JsonException e) {
            throw Refusal.invalid("malformed JSON: " + e.getMessage());
        }
    }

    /// The name of something; null for null.
    String nameOrNull(String name) {
        return json.token() == Token.NULL ? nothing() : name(name);
    }

    /// The name of something.
    String name(String name) {
        return requireShort(name, text(name));
    }

    /// A name that is no longer than any that there is.
    static String requireShort(String what, String name) {
        if (name.length() > MAX_NAME) {
            throw Refusal.invalid(
                    what + " has " + name.length() + " characters, expected a name of at most " + MAX_NAME);
        }
        return name;
    }

    private String text(String name) {
        if (json.token() != Token.STRING) {
            throw Refusal.invalid(name + " is " + json.describe() + ", expected a string");
        }
        json.readText();
        return json.text();
    }

    /// True or false; false for null.
    boolean bool(String name) {
        Token token = json.token();
        if (token == Token.NULL) {
            nothing();
            return false;
        }
        if (token != Token.TRUE && token != Token.FALSE) {
            throw Refusal.invalid(name + " is " + json.describe() + ", expected true or false");
        }
        json.readLiteral(token);
        return token == Token.TRUE;
    }

    String nothing() {
        json.readLiteral(Token.NULL);
        return null;
    }

    /// An object with an array of values under each name, all of the same length.
    ///
    /// @param expected what such an object is here
    /// @return Long, Double, String, Boolean or null each, in the order in which they came
    Map<String, List<Object>> columns(String name, String expected) {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid(name + " is " + json.describe() + ", expected " + expected);
        }
        Map<String, List<Object>> all = new LinkedHashMap<>();
        json.enterObject();
        while (json.nextMember()) {
            String key = requireShort("a key of " + name, json.text());
            String column = name + "." + key;
            List<Object> values = values(column);
            if (all.put(key, values) != null) {
                throw Refusal.invalid(column + " came twice");
            }
            int rows = all.values().iterator().next().size();
            if (values.size() != rows) {
                throw Refusal.invalid(
                        column + " has " + values.size() + " values, expected " + rows + " as those before it have");
            }
        }
        if (all.isEmpty()) {
            throw Refusal.invalid(name + " is empty, expected " + expected);
        }
        return all;
    }

    private List<Object> values(String name) {
        if (json.token() != Token.ARRAY) {
            throw Refusal.invalid(name + " is " + json.describe() + ", expected an array");
        }
        List<Object> values = new ArrayList<>();
        json.enterArray();
        while (json.nextElement()) {
            values.add(value(name, values.size()));
        }
        return values;
    }

    private Object value(String name, int index) {
        Token token = json.token();
        return switch (token) {
            case STRING -> text(name);
            case NULL -> nothing();
            case TRUE, FALSE -> {
                json.readLiteral(token);
                yield token == Token.TRUE;
            }
            case NUMBER -> number(name, index);
            default ->
                throw Refusal.invalid(
                        name + "[" + index + "] is " + json.describe() + ", expected a number, a string or null");
        };
    }

    private Object number(String name, int index) {
        json.readNumber();
        long integer = json.integer(Long.MIN_VALUE, Long.MAX_VALUE);
        if (json.isInteger() && json.isInRange()) {
            return integer;
        }
        double real = json.real();
        if (!json.isInRange()) {
            throw Refusal.invalid(name + "[" + index + "] is " + json.describe() + ", expected what a double holds");
        }
        return real;
    }

    /// A value, for messages.
    static String describe(Object value) {
        if (!(value instanceof String text)) {
            return String.valueOf(value);
        }
        return "'" + (text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...") + "'";
    }
}
