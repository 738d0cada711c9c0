// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Malformed;
import dev.millrace.model.TextProto.Message;
import dev.millrace.model.TextProto.Scalar;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads YAML's values in one line: plain and quoted texts, lists and mappings in brackets. Threads: one per text.
final class YamlFlow {
    private static final int MAX_DEPTH = 64;

    private final int line;
    private final String text;
    private int position;

    YamlFlow(int line, String text) {
        this.line = line;
        this.text = text;
    }

    /// Whether every bracket and quote of a text that begins with one is closed.
    static boolean isComplete(CharSequence text) {
        if (text.charAt(0) != '[' && text.charAt(0) != '{') {
            return true;
        }
        int open = 0;
        for (int i = 0; i < text.length(); i++) {
            switch (text.charAt(i)) {
                case '"', '\'' -> {
                    int end = endOfQuotes(text, i);
                    if (end < 0) {
                        return false;
                    }
                    i = end - 1;
                }
                case '[', '{' -> open++;
                case ']', '}' -> open--;
                default -> {}
            }
        }
        return open <= 0;
    }

    /// The position after the quotes that begin at `start`, or -1 if they do not end.
    static int endOfQuotes(CharSequence text, int start) {
        char quote = text.charAt(start);
        for (int i = start + 1; i < text.length(); i++) {
            char character = text.charAt(i);
            if (character == '\\' && quote == '"') {
                i++;
            } else if (character == quote) {
                if (quote == '\'' && i + 1 < text.length() && text.charAt(i + 1) == quote) {
                    i++;
                } else {
                    return i + 1;
                }
            }
        }
        return -1;
    }

    /// The text as a name.
    String name() {
        skipBlanks();
        String name =
                isAt('"') || isAt('\'') ? quoted() : text.substring(position).strip();
        if (name.isEmpty()) {
            throw malformed("expected a name before ':', came none");
        }
        return name;
    }

    /// The whole text as a value.
    Object whole(int depth) {
        Object value = isAt('[') || isAt('{') || isAt('"') || isAt('\'') ? value(depth) : plain(text);
        skipBlanks();
        if (position < text.length() && !(value instanceof Scalar scalar && !scalar.quoted())) {
            throw malformed("expected the end of the line, came '" + text.substring(position) + "'");
        }
        return value;
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("values are nested deeper than " + MAX_DEPTH);
        }
        skipBlanks();
        if (accept('[')) {
            return list(depth);
        }
        if (accept('{')) {
            return mapping(depth);
        }
        if (isAt('"') || isAt('\'')) {
            return new Scalar(quoted(), true);
        }
        int start = position;
        while (position < text.length() && ",]}[{".indexOf(text.charAt(position)) < 0) {
            position++;
        }
        return plain(text.substring(start, position).strip());
    }

    private Scalar plain(String plain) {
        if (plain.isEmpty()) {
            throw malformed("expected a value, came none");
        }
        if ("&*!|>%@`".indexOf(plain.charAt(0)) >= 0) {
            throw malformed("'" + plain.charAt(0) + "' begins a value, expected it in quotes");
        }
        return new Scalar(plain, false);
    }

    private List<Object> list(int depth) {
        List<Object> items = new ArrayList<>();
        skipBlanks();
        while (!accept(']')) {
            items.add(value(depth + 1));
            separator(']');
        }
        return items;
    }

    private Message mapping(int depth) {
        List<Field> fields = new ArrayList<>();
        Set<String> names = new HashSet<>();
        skipBlanks();
        while (!accept('}')) {
            String name = key();
            if (!names.add(name)) {
                throw malformed("'" + name + "' came before, expected it once");
            }
            Yaml.addTo(fields, name, line, value(depth + 1));
            separator('}');
        }
        return new Message(fields);
    }

    private String key() {
        skipBlanks();
        String name;
        if (isAt('"') || isAt('\'')) {
            name = quoted();
        } else {
            int start = position;
            while (position < text.length() && ":,]}[{".indexOf(text.charAt(position)) < 0) {
                position++;
            }
            name = text.substring(start, position).strip();
        }
        skipBlanks();
        if (name.isEmpty() || !accept(':')) {
            throw malformed("expected 'name: value' in braces, came " + next());
        }
        return name;
    }

    private void separator(char close) {
        skipBlanks();
        if (!accept(',') && !isAt(close)) {
            throw malformed("expected ',' or '" + close + "', came " + next());
        }
        skipBlanks();
    }

    private String quoted() {
        int end = endOfQuotes(text, position);
        if (end < 0) {
            throw malformed("a text in quotes has no end");
        }
        String inner = text.substring(position + 1, end - 1);
        boolean escaped = isAt('"');
        position = end;
        return escaped ? unescaped(inner) : inner.replace("''", "'");
    }

    private String unescaped(String inner) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < inner.length(); i++) {
            char character = inner.charAt(i);
            if (character != '\\') {
                plain.append(character);
                continue;
            }
            i++;
            int at = "\\\"/ntr0".indexOf(inner.charAt(i));
            if (at < 0) {
                throw malformed("'\\" + inner.charAt(i) + "' is no escape in a text that is read here");
            }
            plain.append("\\\"/\n\t\r\0".charAt(at));
        }
        return plain.toString();
    }

    private void skipBlanks() {
        while (position < text.length() && (text.charAt(position) == ' ' || text.charAt(position) == '\t')) {
            position++;
        }
    }

    private boolean isAt(char character) {
        return position < text.length() && text.charAt(position) == character;
    }

    private boolean accept(char character) {
        if (isAt(character)) {
            position++;
            return true;
        }
        return false;
    }

    private String next() {
        return position < text.length() ? "'" + text.substring(position, position + 1) + "'" : "the end";
    }

    private Malformed malformed(String problem) {
        return new Malformed(line, problem);
    }
}
