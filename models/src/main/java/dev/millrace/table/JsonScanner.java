// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/// Goes over the lines of a file, and over the fields of the object of JSON in each, without
/// copying them. What is wrong in a line is an [IllegalArgumentException] that names the character;
/// the next line can be read all the same.
///
/// Threads: one. Ownership: whoever made it closes it.
final class JsonScanner implements Closeable {
    private static final int MAX_DEPTH = 64;

    /// What a value is.
    enum Kind {
        NULL,
        /// A number, `true` or `false`.
        LITERAL,
        TEXT,
        /// An array or an object.
        NESTED
    }

    private final TextInput in;
    private int next;
    private long line;
    private char[] buffer;
    private int begin;
    private int end;
    private int at;
    private boolean fresh;
    private int from;
    private int to;
    private String unescaped;

    JsonScanner(Path file) throws IOException {
        this.in = new TextInput(file);
    }

    /// Goes to the next line that is not blank; false at the end.
    boolean nextLine() throws IOException {
        while (readLine()) {
            at = begin;
            skipBlanks();
            if (at < end) {
                return true;
            }
        }
        return false;
    }

    private boolean readLine() throws IOException {
        begin = next;
        int look = next;
        line = in.line();
        while (true) {
            buffer = in.buffer();
            int limit = in.limit();
            while (look < limit && buffer[look] != '\n') {
                look++;
            }
            if (look < limit) {
                end = look;
                next = look + 1;
                in.endLine();
                return true;
            }
            int held = look - begin;
            boolean filled = in.fill(begin);
            begin = 0;
            look = held;
            if (!filled) {
                buffer = in.buffer();
                end = look;
                next = look;
                return held > 0;
            }
        }
    }

    /// The line, from 1.
    long line() {
        return line;
    }

    double progress() {
        return in.progress();
    }

    /// Enters the line's object.
    void enter() {
        expect('{', "an object");
        fresh = true;
    }

    /// Goes to the next field of the object; false if it has no more, and the line neither.
    boolean field() {
        skipBlanks();
        if (at < end && buffer[at] == '}') {
            at++;
            skipBlanks();
            if (at < end) {
                throw malformed("expected the end of the line");
            }
            return false;
        }
        if (!fresh) {
            expect(',', "',' or '}'");
        }
        fresh = false;
        text();
        return true;
    }

    /// Whether the field's name is this.
    boolean isNamed(char[] name) {
        if (unescaped != null) {
            return unescaped.contentEquals(java.nio.CharBuffer.wrap(name));
        }
        if (to - from != name.length) {
            return false;
        }
        for (int i = 0; i < name.length; i++) {
            if (buffer[from + i] != name[i]) {
                return false;
            }
        }
        return true;
    }

    /// Goes from the field's name to its value, and over it: [#buffer()] has it from [#from()] to
    /// [#to()], or [#string()] does.
    Kind value() {
        expect(':', "':'");
        skipBlanks();
        if (at == end) {
            throw malformed("expected a value");
        }
        unescaped = null;
        char first = buffer[at];
        if (first == '"') {
            text();
            return Kind.TEXT;
        }
        if (first == '[' || first == '{') {
            skipNested();
            return Kind.NESTED;
        }
        from = at;
        while (at < end && isLiteral(buffer[at])) {
            at++;
        }
        to = at;
        if (from == to) {
            throw malformed("expected a value");
        }
        return isNull() ? Kind.NULL : Kind.LITERAL;
    }

    private boolean isNull() {
        return to - from == 4
                && buffer[from] == 'n'
                && buffer[from + 1] == 'u'
                && buffer[from + 2] == 'l'
                && buffer[from + 3] == 'l';
    }

    private static boolean isLiteral(char character) {
        return character == '-'
                || character == '+'
                || character == '.'
                || (character >= '0' && character <= '9')
                || (character >= 'a' && character <= 'z')
                || (character >= 'A' && character <= 'Z');
    }

    private void text() {
        expect('"', "'\"'");
        from = at;
        unescaped = null;
        while (at < end && buffer[at] != '"' && buffer[at] != '\\' && buffer[at] >= ' ') {
            at++;
        }
        to = at;
        if (at < end && buffer[at] == '"') {
            at++;
        } else {
            unescaped = escapedText();
        }
    }

    private String escapedText() {
        StringBuilder value = new StringBuilder().append(buffer, from, at - from);
        while (at < end && buffer[at] != '"') {
            char character = buffer[at++];
            if (character < ' ') {
                at--;
                throw malformed("a control character in a text");
            }
            value.append(character == '\\' ? escaped() : character);
        }
        if (at == end) {
            throw malformed("a text has no end");
        }
        at++;
        return value.toString();
    }

    private char escaped() {
        char kind = at < end ? buffer[at++] : ' ';
        int known = "\"\\/bfnrt".indexOf(kind);
        if (known >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(known);
        }
        int code = kind == 'u' && at + 4 <= end ? 0 : -1;
        for (int i = 0; i < 4 && code >= 0; i++) {
            int digit = Character.digit(buffer[at++], 16);
            code = digit < 0 ? -1 : code << 4 | digit;
        }
        if (code < 0) {
            throw malformed("no such escape in a text");
        }
        return (char) code;
    }

    /// Passes over an array or an object: its brackets match, what is between them is not looked
    /// at.
    private void skipNested() {
        int depth = 0;
        from = at;
        do {
            if (at == end) {
                throw malformed("an array or an object has no end");
            }
            char character = buffer[at];
            if (character == '"') {
                int start = from;
                text();
                from = start;
                continue;
            }
            depth += character == '[' || character == '{' ? 1 : character == ']' || character == '}' ? -1 : 0;
            if (depth > MAX_DEPTH) {
                throw malformed("values are nested deeper than " + MAX_DEPTH);
            }
            at++;
        } while (depth > 0);
        to = at;
        unescaped = null;
    }

    private void expect(char character, String expected) {
        skipBlanks();
        if (at == end || buffer[at] != character) {
            throw malformed("expected " + expected);
        }
        at++;
    }

    private void skipBlanks() {
        while (at < end && (buffer[at] == ' ' || buffer[at] == '\t' || buffer[at] == '\r')) {
            at++;
        }
    }

    private IllegalArgumentException malformed(String problem) {
        String came = at < end ? "'" + buffer[at] + "'" : "the end";
        return new IllegalArgumentException(
                "it is no JSON: at character " + (at - begin + 1) + ": " + problem + ", came " + came);
    }

    char[] buffer() {
        return buffer;
    }

    int from() {
        return from;
    }

    int to() {
        return to;
    }

    /// The text of the name or the value.
    String string() {
        return unescaped != null ? unescaped : new String(buffer, from, to - from);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
