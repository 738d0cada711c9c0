// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

/// A place in a JSON text, which reads what comes next there. Numbers are not read but handed out as they are written,
/// so that no digit is lost; `NaN` and `Infinity` pass for numbers, as Python writes them.
///
/// Threads: one. What is wrong is an [IllegalArgumentException] that names the place.
public final class JsonText {
    private static final int MAX_DEPTH = 64;

    private final String text;
    private int position;
    /// Whether an array or an object was just entered.
    private boolean fresh;

    /// At the beginning of a text.
    public JsonText(String text) {
        this.text = text;
    }

    /// How many characters it has.
    public int length() {
        return text.length();
    }

    /// Where the next value is, after blanks; [#go(int)] comes back to it.
    public int here() {
        skipBlanks();
        return position;
    }

    /// Goes to a place that [#here()] told.
    public void go(int place) {
        position = place;
        fresh = false;
    }

    /// Whether the next value begins with this.
    public boolean isAt(char character) {
        skipBlanks();
        return position < text.length() && text.charAt(position) == character;
    }

    /// Enters an array or an object.
    public void enter(char bracket) {
        expect(bracket);
        fresh = true;
    }

    /// Whether there is one more value before the bracket, which is passed if not.
    public boolean more(char bracket) {
        boolean first = fresh;
        fresh = false;
        if (isAt(bracket)) {
            position++;
            return false;
        }
        if (!first) {
            if (!isAt(',')) {
                throw malformed("expected ',' or '" + bracket + "'");
            }
            position++;
        }
        return true;
    }

    /// The name of an object's next field.
    public String name() {
        String name = string();
        expect(':');
        return name;
    }

    /// A text.
    public String string() {
        expect('"');
        StringBuilder value = new StringBuilder();
        while (true) {
            if (position == text.length()) {
                throw malformed("a text has no end");
            }
            char next = text.charAt(position++);
            if (next == '"') {
                return value.toString();
            }
            if (next < ' ') {
                position--;
                throw malformed("a control character in a text");
            }
            value.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        char kind = position < text.length() ? text.charAt(position++) : ' ';
        int at = "\"\\/bfnrt".indexOf(kind);
        if (at >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(at);
        }
        if (kind != 'u' || position + 4 > text.length()) {
            throw malformed("no such escape in a text");
        }
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(text.charAt(position++), 16);
            if (digit < 0) {
                throw malformed("no such escape in a text");
            }
            code = code << 4 | digit;
        }
        return (char) code;
    }

    /// A number, `true`, `false` or `null`, as it is written.
    public String literal() {
        skipBlanks();
        int start = position;
        while (position < text.length() && isLiteral(text.charAt(position))) {
            position++;
        }
        if (start == position) {
            throw malformed("expected a value");
        }
        return text.substring(start, position);
    }

    private static boolean isLiteral(char character) {
        return character == '-'
                || character == '+'
                || character == '.'
                || (character >= '0' && character <= '9')
                || (character >= 'a' && character <= 'z')
                || (character >= 'A' && character <= 'Z');
    }

    /// Passes over a value.
    public void skip() {
        skip(0);
    }

    private void skip(int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("values are nested deeper than " + MAX_DEPTH);
        }
        if (isAt('"')) {
            string();
        } else if (isAt('[')) {
            enter('[');
            while (more(']')) {
                skip(depth + 1);
            }
        } else if (isAt('{')) {
            enter('{');
            while (more('}')) {
                name();
                skip(depth + 1);
            }
        } else {
            literal();
        }
    }

    /// Requires that nothing follows.
    public void end() {
        skipBlanks();
        if (position < text.length()) {
            throw malformed("expected the end");
        }
    }

    private void expect(char character) {
        if (!isAt(character)) {
            throw malformed("expected '" + character + "'");
        }
        position++;
    }

    private void skipBlanks() {
        while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
    }

    private IllegalArgumentException malformed(String problem) {
        String came = position < text.length() ? "'" + text.charAt(position) + "'" : "the end";
        return new IllegalArgumentException("at character " + (position + 1) + ": " + problem + ", came " + came);
    }
}
