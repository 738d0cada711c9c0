// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads protobuf's text format into a tree, without a schema: fields with numbers, names and strings as they are
/// written, messages in braces or angle brackets, lists in square ones, and comments.
///
/// Extensions and `Any` are not read. Threads: one per text.
final class TextProto {
    /// A message: its fields in the order of the text; a field that is repeated is there more than once.
    record Message(List<Field> fields) {}

    /// A field with one value: a [Message] or a [Scalar].
    ///
    /// @param line where it is, from 1
    record Field(String name, Object value, int line) {}

    /// A number, a word such as `true` or `KIND_CPU`, or a string.
    record Scalar(String text, boolean quoted) {}

    /// What is wrong with a text.
    static final class Malformed extends RuntimeException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        Malformed(int line, String problem) {
            super("line " + line + ": " + problem);
        }
    }

    private static final int MAX_DEPTH = 64;
    private static final String END = "the end";

    private final String text;
    private int position;
    private int line = 1;

    private TextProto(String text) {
        this.text = text;
    }

    /// Reads a text.
    ///
    /// @throws Malformed if it is not protobuf's text format
    static Message parse(String text) {
        return new TextProto(text).message("", 0);
    }

    /// Reads fields up to `close`, or up to the end of the text if that is empty.
    private Message message(String close, int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("messages are nested deeper than " + MAX_DEPTH);
        }
        List<Field> fields = new ArrayList<>();
        while (true) {
            skipBlank();
            if (isAtEnd()) {
                if (close.isEmpty()) {
                    return new Message(fields);
                }
                throw malformed("expected '" + close + "', came " + END);
            }
            if (accept(close)) {
                return new Message(fields);
            }
            field(fields, depth);
            skipBlank();
            if (!accept(",")) {
                accept(";");
            }
        }
    }

    private void field(List<Field> fields, int depth) {
        int start = line;
        String name = word();
        if (name.isEmpty()) {
            throw malformed("expected a field's name, came " + next());
        }
        skipBlank();
        boolean colon = accept(":");
        skipBlank();
        if (accept("[")) {
            list(fields, name, start, depth);
        } else {
            fields.add(new Field(name, value(name, colon, depth), start));
        }
    }

    private void list(List<Field> fields, String name, int start, int depth) {
        skipBlank();
        if (accept("]")) {
            return;
        }
        while (true) {
            skipBlank();
            fields.add(new Field(name, value(name, true, depth), start));
            skipBlank();
            if (accept("]")) {
                return;
            }
            if (!accept(",")) {
                throw malformed("expected ',' or ']' in the list of '" + name + "', came " + next());
            }
        }
    }

    private Object value(String name, boolean scalarAllowed, int depth) {
        if (accept("{")) {
            return message("}", depth + 1);
        }
        if (accept("<")) {
            return message(">", depth + 1);
        }
        if (!scalarAllowed) {
            throw malformed("expected ':' or '{' after '" + name + "', came " + next());
        }
        if (!isAtEnd() && (current() == '"' || current() == '\'')) {
            return new Scalar(strings(), true);
        }
        String sign = accept("-") ? "-" : "";
        skipBlank();
        String word = word();
        if (word.isEmpty()) {
            throw malformed("expected a value of '" + name + "', came " + next());
        }
        return new Scalar(sign + word, false);
    }

    /// Strings beside each other are one.
    private String strings() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (!isAtEnd() && (current() == '"' || current() == '\'')) {
            string(bytes);
            skipBlank();
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private void string(ByteArrayOutputStream bytes) {
        char quote = text.charAt(position++);
        while (true) {
            if (isAtEnd() || current() == '\n') {
                throw malformed("a string has no end");
            }
            if (current() == quote) {
                position++;
                return;
            }
            if (current() == '\\') {
                position++;
                escape(bytes);
            } else {
                int codePoint = text.codePointAt(position);
                position += Character.charCount(codePoint);
                bytes.writeBytes(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private void escape(ByteArrayOutputStream bytes) {
        if (isAtEnd()) {
            throw malformed("a string has no end");
        }
        char escaped = text.charAt(position++);
        switch (escaped) {
            case 'n' -> bytes.write('\n');
            case 't' -> bytes.write('\t');
            case 'r' -> bytes.write('\r');
            case '\\', '\'', '"', '?' -> bytes.write(escaped);
            case 'x' -> bytes.write(digits(16, 2));
            case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                position--;
                bytes.write(digits(8, 3));
            }
            default -> throw malformed("'\\" + escaped + "' is no escape in a string that is read here");
        }
    }

    private int digits(int radix, int most) {
        int value = 0;
        int count = 0;
        while (count < most && !isAtEnd() && Character.digit(current(), radix) >= 0) {
            value = value * radix + Character.digit(current(), radix);
            position++;
            count++;
        }
        if (count == 0) {
            throw malformed("an escape has no digits");
        }
        return value;
    }

    /// A name or a number, as far as it goes.
    private String word() {
        int start = position;
        while (!isAtEnd() && (isWord(current()) || isExponentSign(start))) {
            position++;
        }
        return text.substring(start, position);
    }

    private static boolean isWord(char character) {
        return character == '_' || character == '.' || (character < 128 && Character.isLetterOrDigit(character));
    }

    /// Whether a sign belongs to the number that begins at `start`: it follows the number's exponent letter.
    private boolean isExponentSign(int start) {
        return position > start
                && (current() == '+' || current() == '-')
                && (text.charAt(position - 1) == 'e' || text.charAt(position - 1) == 'E')
                && (Character.isDigit(text.charAt(start)) || text.charAt(start) == '.');
    }

    private void skipBlank() {
        while (!isAtEnd()) {
            char character = current();
            if (character == '#') {
                while (!isAtEnd() && current() != '\n') {
                    position++;
                }
            } else if (Character.isWhitespace(character) || character == '\uFEFF') {
                line += character == '\n' ? 1 : 0;
                position++;
            } else {
                return;
            }
        }
    }

    private boolean accept(String token) {
        if (token.isEmpty() || !text.startsWith(token, position)) {
            return false;
        }
        position += token.length();
        return true;
    }

    private boolean isAtEnd() {
        return position >= text.length();
    }

    private char current() {
        return text.charAt(position);
    }

    private String next() {
        return isAtEnd() ? END : "'" + Character.toString(text.codePointAt(position)) + "'";
    }

    private Malformed malformed(String problem) {
        return new Malformed(line, problem);
    }
}
