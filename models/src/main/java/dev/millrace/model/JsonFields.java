// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Malformed;
import dev.millrace.model.TextProto.Message;
import dev.millrace.model.TextProto.Scalar;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Reads a configuration in JSON, as protobuf maps it, into the fields that protobuf's text has. Names may be written
/// as they are there or in camel case; null is a field that is not there, a list one that is repeated.
///
/// Threads: one per text.
final class JsonFields {
    private static final int MAX_DEPTH = 64;

    private final String text;
    private int position;
    private int line = 1;

    private JsonFields(String text) {
        this.text = text;
    }

    /// Reads a text, which is an object.
    ///
    /// @throws Malformed if it is not
    static Message read(String text) {
        JsonFields json = new JsonFields(text);
        json.expect('{');
        Message message = json.object("", false, 0);
        json.skipBlank();
        if (json.position < text.length()) {
            throw json.malformed("expected the end");
        }
        return YamlFields.of(message);
    }

    /// The rest of an object.
    ///
    /// @param path the names of what it is in, with points in between
    /// @param map whether its names are keys, and not those of fields
    private Message object(String path, boolean map, int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("objects are nested deeper than " + MAX_DEPTH);
        }
        List<Field> fields = new ArrayList<>();
        skipBlank();
        if (accept('}')) {
            return new Message(fields);
        }
        do {
            skipBlank();
            int start = line;
            expect('"');
            String key = string();
            String name = map ? key : snake(key);
            String own = map ? path + ".value" : path.isEmpty() ? name : path + "." + name;
            expect(':');
            values(fields, name, own, start, depth);
            skipBlank();
        } while (accept(','));
        expect('}');
        return new Message(fields);
    }

    private void values(List<Field> fields, String name, String path, int start, int depth) {
        skipBlank();
        if (!accept('[')) {
            add(fields, name, path, start, depth);
            return;
        }
        skipBlank();
        if (accept(']')) {
            return;
        }
        do {
            add(fields, name, path, start, depth);
            skipBlank();
        } while (accept(','));
        expect(']');
    }

    private void add(List<Field> fields, String name, String path, int start, int depth) {
        skipBlank();
        if (accept('{')) {
            fields.add(new Field(name, object(path, YamlFields.isMap(path), depth + 1), start));
        } else if (accept('"')) {
            fields.add(new Field(name, new Scalar(string(), true), start));
        } else {
            String word = word();
            if (!word.equals("null")) {
                fields.add(new Field(name, new Scalar(word, false), start));
            }
        }
    }

    private static String snake(String name) {
        StringBuilder snake = new StringBuilder();
        for (char character : name.toCharArray()) {
            if (Character.isUpperCase(character)) {
                snake.append('_');
            }
            snake.append(character);
        }
        return snake.toString().toLowerCase(Locale.ROOT);
    }

    /// A number, or true, false or null.
    private String word() {
        int start = position;
        while (position < text.length() && ",]}: \t\r\n\"[{".indexOf(text.charAt(position)) < 0) {
            position++;
        }
        String word = text.substring(start, position);
        if (!word.matches("true|false|null|-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
            throw malformed("expected a value");
        }
        return word;
    }

    /// The rest of a string.
    private String string() {
        StringBuilder value = new StringBuilder();
        while (position < text.length()) {
            char character = text.charAt(position++);
            if (character == '"') {
                return value.toString();
            }
            if (character < ' ') {
                break;
            }
            value.append(character == '\\' ? escape() : character);
        }
        throw malformed("a string has no end");
    }

    private char escape() {
        char escaped = position < text.length() ? text.charAt(position++) : 0;
        return switch (escaped) {
            case '"', '\\', '/' -> escaped;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> throw malformed("'\\" + escaped + "' is no escape");
        };
    }

    private char unicode() {
        String digits = text.substring(position, Math.min(text.length(), position + 4));
        if (!digits.matches("[0-9a-fA-F]{4}")) {
            throw malformed("an escape has no four digits");
        }
        position += 4;
        return (char) Integer.parseInt(digits, 16);
    }

    private void skipBlank() {
        while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
            line += text.charAt(position) == '\n' ? 1 : 0;
            position++;
        }
    }

    private boolean accept(char expected) {
        if (position < text.length() && text.charAt(position) == expected) {
            position++;
            return true;
        }
        return false;
    }

    private void expect(char expected) {
        skipBlank();
        if (!accept(expected)) {
            throw malformed("expected '" + expected + "'");
        }
    }

    private Malformed malformed(String problem) {
        return new Malformed(
                line, problem + ", came " + (position < text.length() ? "'" + text.charAt(position) + "'" : "the end"));
    }
}
