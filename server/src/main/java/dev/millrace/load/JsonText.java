// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.Locale;

/// Writes JSON that people can read too: a member per line, arrays in one. The caller sees to its grammar.
///
/// Threads: one.
final class JsonText {
    private final StringBuilder text = new StringBuilder();
    private int depth;
    private boolean first = true;
    private boolean afterName;

    JsonText startObject() {
        start('{');
        depth++;
        return this;
    }

    JsonText endObject() {
        depth--;
        if (!first) {
            newLine();
        }
        return end('}');
    }

    JsonText startArray() {
        start('[');
        return this;
    }

    JsonText endArray() {
        return end(']');
    }

    JsonText name(String name) {
        comma("");
        newLine();
        quote(name);
        text.append(": ");
        afterName = true;
        return this;
    }

    JsonText string(String value) {
        comma(" ");
        quote(value);
        return this;
    }

    JsonText number(long value) {
        comma(" ");
        text.append(value);
        return this;
    }

    JsonText number(double value) {
        comma(" ");
        text.append(value);
        return this;
    }

    JsonText bool(boolean value) {
        comma(" ");
        text.append(value);
        return this;
    }

    JsonText nothing() {
        comma(" ");
        text.append("null");
        return this;
    }

    private void start(char opening) {
        comma(" ");
        text.append(opening);
        first = true;
    }

    private JsonText end(char closing) {
        text.append(closing);
        first = false;
        return this;
    }

    private void comma(String space) {
        if (!first && !afterName) {
            text.append(',').append(space);
        }
        first = false;
        afterName = false;
    }

    private void newLine() {
        text.append('\n').append("  ".repeat(depth));
    }

    private void quote(String value) {
        text.append('"');
        for (char character : value.toCharArray()) {
            if (character == '"' || character == '\\') {
                text.append('\\').append(character);
            } else if (character < ' ') {
                text.append(String.format(Locale.ROOT, "\\u%04x", (int) character));
            } else {
                text.append(character);
            }
        }
        text.append('"');
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
