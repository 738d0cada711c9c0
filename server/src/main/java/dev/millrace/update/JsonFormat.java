// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Values that are objects in JSON. Threads: one.
final class JsonFormat implements MessageFormat {
    /// What is there, but no value of a field.
    private enum Other {
        ARRAY
    }

    private final JsonReader json = new JsonReader();
    private byte[] text = new byte[0];

    @Override
    public Message decode(ByteBuffer bytes) {
        int length = bytes.remaining();
        if (text.length < length + JsonReader.PADDING) {
            text = new byte[length + JsonReader.PADDING];
        }
        bytes.get(text, 0, length);
        json.reset(text, 0, length);
        try {
            if (json.token() != Token.OBJECT) {
                throw new MessageException("the value is " + json.describe() + ", expected an object");
            }
            Map<String, Object> members = object();
            if (json.token() != Token.END) {
                throw new MessageException("behind the object is " + json.describe() + ", expected nothing");
            }
            return column -> value(members, column);
        } catch (JsonException e) {
            throw new MessageException("malformed JSON: " + e.getMessage());
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new HashMap<>();
        json.enterObject();
        while (json.nextMember()) {
            String name = json.text();
            if (members.containsKey(name)) {
                throw new MessageException(name + " came twice, expected it once");
            }
            members.put(name, read());
        }
        return members;
    }

    private Object read() {
        Token token = json.token();
        switch (token) {
            case OBJECT -> {
                return object();
            }
            case STRING -> {
                json.readText();
                return json.text();
            }
            case NUMBER -> {
                return number();
            }
            case TRUE, FALSE -> {
                json.readLiteral(token);
                return token == Token.TRUE;
            }
            case NULL -> {
                json.readLiteral(token);
                return null;
            }
            default -> {
                json.skip();
                return Other.ARRAY;
            }
        }
    }

    private Object number() {
        json.readNumber();
        long integer = json.integer(Long.MIN_VALUE, Long.MAX_VALUE);
        if (json.isInteger() && json.isInRange()) {
            return integer;
        }
        double real = json.real();
        if (!json.isInRange()) {
            throw new MessageException("the number " + json.describe() + " came, expected what a double holds");
        }
        return real;
    }

    @SuppressWarnings("unchecked")
    private static Object value(Map<String, Object> members, String[] column) {
        Object value = members;
        for (int i = 0; i < column.length && value != null; i++) {
            if (!(value instanceof Map<?, ?>)) {
                throw Values.wrong(prefix(column, i), value, "an object");
            }
            value = ((Map<String, Object>) value).get(column[i]);
        }
        if (value instanceof Map<?, ?> || value == Other.ARRAY) {
            throw new MessageException(String.join(".", column) + " is "
                    + (value == Other.ARRAY ? "an array" : "an object") + ", expected a single value");
        }
        return value;
    }

    private static String prefix(String[] column, int names) {
        return String.join(".", List.of(column).subList(0, names));
    }

    /// There may be anything in JSON.
    @Override
    public void requireColumn(String column) {}
}
