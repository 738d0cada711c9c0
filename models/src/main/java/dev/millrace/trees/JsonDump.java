// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.Arrays;
import java.util.function.Consumer;

/// Reads JSON from its beginning to its end, by whoever knows what comes next.
///
/// Threads: one per text. What is wrong is an [InvalidDumpException] that names the place.
final class JsonDump {
    private static final int MOST_LEVELS = 64;

    private final String text;
    private int position;
    private int levels;

    JsonDump(String text) {
        this.text = text;
    }

    /// Reads an object.
    ///
    /// @param field is told each name, and reads the value
    void object(Consumer<String> field) {
        enter('{');
        if (!leave('}')) {
            do {
                String name = string();
                expect(':');
                field.accept(name);
            } while (more('}'));
        }
    }

    /// Reads an array.
    ///
    /// @param element reads one
    void array(Runnable element) {
        enter('[');
        if (!leave(']')) {
            do {
                element.run();
            } while (more(']'));
        }
    }

    int[] integers(String field) {
        int[][] all = {new int[16]};
        int[] count = {0};
        array(() -> {
            if (count[0] == all[0].length) {
                all[0] = Arrays.copyOf(all[0], 2 * count[0]);
            }
            all[0][count[0]++] = integer(field, scalar());
        });
        return Arrays.copyOf(all[0], count[0]);
    }

    float[] floats(String field) {
        float[][] all = {new float[16]};
        int[] count = {0};
        array(() -> {
            if (count[0] == all[0].length) {
                all[0] = Arrays.copyOf(all[0], 2 * count[0]);
            }
            all[0][count[0]++] = real(field, scalar());
        });
        return Arrays.copyOf(all[0], count[0]);
    }

    /// `true` and `false` pass for 1 and 0.
    int integer(String field, String number) {
        if (number.equals("true") || number.equals("false")) {
            return number.equals("true") ? 1 : 0;
        }
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException _) {
            throw unlike(field, number, "a whole number");
        }
    }

    float real(String field, String number) {
        try {
            return DumpText.single(number);
        } catch (NumberFormatException _) {
            throw unlike(field, number, "a number");
        }
    }

    private InvalidDumpException unlike(String field, String came, String expected) {
        return new InvalidDumpException("at character " + (position + 1) + ": '" + field + "' has "
                + DumpText.shown(came) + ", expected " + expected);
    }

    /// A text, or a number, `true`, `false` or `null` as it is written.
    String scalar() {
        return isAt('"') ? string() : literal();
    }

    private String literal() {
        int start = here();
        while (position < text.length() && isLiteral(text.charAt(position))) {
            position++;
        }
        if (start == position) {
            throw malformed("expected a value");
        }
        return text.substring(start, position);
    }

    private static boolean isLiteral(char character) {
        return (character >= '0' && character <= '9')
                || (character >= 'a' && character <= 'z')
                || (character >= 'A' && character <= 'Z')
                || "+-.".indexOf(character) >= 0;
    }

    String string() {
        expect('"');
        int end = text.indexOf('"', position);
        int escape = end < 0 ? -1 : text.substring(position, end).indexOf('\\');
        if (end >= 0 && escape < 0) {
            String plain = text.substring(position, end);
            position = end + 1;
            return plain;
        }
        return escaped();
    }

    private String escaped() {
        StringBuilder value = new StringBuilder();
        while (position < text.length()) {
            char next = text.charAt(position++);
            if (next == '"') {
                return value.toString();
            }
            value.append(next == '\\' ? escape() : next);
        }
        throw malformed("a text has no end");
    }

    private char escape() {
        char kind = position < text.length() ? text.charAt(position++) : ' ';
        int at = "\"\\/bfnrt".indexOf(kind);
        if (at >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(at);
        }
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int digit = kind == 'u' && position < text.length() ? Character.digit(text.charAt(position++), 16) : -1;
            if (digit < 0) {
                throw malformed("no such escape in a text");
            }
            code = code << 4 | digit;
        }
        return (char) code;
    }

    /// Passes over a value.
    void skip() {
        if (isAt('{')) {
            object(_ -> skip());
        } else if (isAt('[')) {
            array(this::skip);
        } else {
            scalar();
        }
    }

    /// Requires that nothing follows.
    void end() {
        if (here() < text.length()) {
            throw malformed("expected the end");
        }
    }

    private void enter(char bracket) {
        expect(bracket);
        if (++levels > MOST_LEVELS) {
            throw malformed("values are nested deeper than " + MOST_LEVELS);
        }
    }

    private boolean more(char bracket) {
        if (leave(bracket)) {
            return false;
        }
        expect(',');
        return true;
    }

    private boolean leave(char bracket) {
        if (!isAt(bracket)) {
            return false;
        }
        position++;
        levels--;
        return true;
    }

    private void expect(char character) {
        if (!isAt(character)) {
            throw malformed("expected '" + character + "'");
        }
        position++;
    }

    private boolean isAt(char character) {
        return here() < text.length() && text.charAt(position) == character;
    }

    /// Where the next value is, after blanks.
    private int here() {
        while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
        return position;
    }

    private InvalidDumpException malformed(String problem) {
        String came = position < text.length() ? DumpText.shown(text.substring(position, position + 1)) : "the end";
        return new InvalidDumpException("at character " + (position + 1) + ": " + problem + ", came " + came);
    }
}
