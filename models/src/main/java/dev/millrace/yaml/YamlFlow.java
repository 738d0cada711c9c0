// SPDX-License-Identifier: Apache-2.0
package dev.millrace.yaml;

import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads YAML's values in one line: plain and quoted texts, lists and mappings in brackets, which
/// may go over several.
///
/// Threads: one per text.
final class YamlFlow {
    /// A line's text within the whole.
    ///
    /// @param start where it begins there
    /// @param column the column of its first character
    private record Piece(int start, int line, int column) {}

    private final StringBuilder text;
    private final List<Piece> pieces = new ArrayList<>();
    /// How far it was looked for brackets, and how many are open there.
    private int looked;

    private int open;
    private int position;

    /// @param start where the text begins in the line
    YamlFlow(Yaml.Line line, int start, String text) {
        this.text = new StringBuilder(text);
        pieces.add(new Piece(0, line.number(), line.column(start)));
    }

    /// Goes on with a line, after a blank.
    void append(Yaml.Line line) {
        text.append(' ');
        pieces.add(new Piece(text.length(), line.number(), line.column(0)));
        text.append(line.text());
    }

    /// Whether every bracket and quote of a text that begins with one is closed. Looks only at what
    /// came since it was last asked: a list may have a hundred thousand lines.
    boolean isComplete() {
        if (text.charAt(0) != '[' && text.charAt(0) != '{') {
            return true;
        }
        while (looked < text.length()) {
            char character = text.charAt(looked);
            if (character == '"' || character == '\'') {
                int end = endOfQuotes(text, looked);
                if (end < 0) {
                    return false;
                }
                looked = end;
                continue;
            }
            open += character == '[' || character == '{' ? 1 : character == ']' || character == '}' ? -1 : 0;
            looked++;
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
    YamlNode whole(int depth) {
        if (!isAt('[') && !isAt('{') && !isAt('"') && !isAt('\'')) {
            return plain(0, text.toString());
        }
        YamlNode value = value(depth);
        skipBlanks();
        if (position < text.length()) {
            throw malformed("expected the end of the line, came '" + text.substring(position) + "'");
        }
        return value;
    }

    private YamlNode value(int depth) {
        if (depth > Yaml.MAX_DEPTH) {
            throw malformed("values are nested deeper than " + Yaml.MAX_DEPTH);
        }
        skipBlanks();
        int start = position;
        if (accept('[')) {
            return list(start, depth);
        }
        if (accept('{')) {
            return mapping(start, depth);
        }
        if (isAt('"') || isAt('\'')) {
            return scalar(quoted(), true, start);
        }
        while (position < text.length() && ",]}[{".indexOf(text.charAt(position)) < 0) {
            position++;
        }
        return plain(start, text.substring(start, position).strip());
    }

    private Scalar plain(int start, String plain) {
        if (plain.isEmpty()) {
            throw malformed("expected a value, came none");
        }
        if ("&*!|>%@`".indexOf(plain.charAt(0)) >= 0) {
            position = start;
            throw malformed("'" + plain.charAt(0) + "' begins a value, expected it in quotes");
        }
        return scalar(plain, false, start);
    }

    private Scalar scalar(String value, boolean quoted, int start) {
        Piece piece = piece(start);
        return new Scalar(value, quoted, piece.line(), piece.column() + start - piece.start());
    }

    private Sequence list(int start, int depth) {
        List<YamlNode> items = new ArrayList<>();
        skipBlanks();
        while (!accept(']')) {
            items.add(value(depth + 1));
            separator(']');
        }
        Piece piece = piece(start);
        return new Sequence(items, piece.line(), piece.column() + start - piece.start());
    }

    private Mapping mapping(int start, int depth) {
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        skipBlanks();
        while (!accept('}')) {
            skipBlanks();
            int at = position;
            String name = key();
            if (!names.add(name)) {
                position = at;
                throw malformed("'" + name + "' came before, expected it once");
            }
            Piece piece = piece(at);
            entries.add(new Entry(name, value(depth + 1), piece.line(), piece.column() + at - piece.start()));
            separator('}');
        }
        Piece piece = piece(start);
        return new Mapping(entries, piece.line(), piece.column() + start - piece.start());
    }

    private String key() {
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
        String plain = escaped ? unescaped(inner) : inner.replace("''", "'");
        position = end;
        return plain;
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
            char escape = inner.charAt(i);
            int at = "\\\"/ntrbf0".indexOf(escape);
            if (escape == 'u' && inner.substring(i + 1).matches("(?s)[0-9a-fA-F]{4}.*")) {
                plain.append((char) Integer.parseInt(inner.substring(i + 1, i + 5), 16));
                i += 4;
            } else if (at >= 0) {
                plain.append("\\\"/\n\t\r\b\f\0".charAt(at));
            } else {
                throw malformed("'\\" + escape + "' is no escape in a text that is read here");
            }
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

    /// The line's text that a position is in.
    private Piece piece(int at) {
        int low = 0;
        int high = pieces.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (pieces.get(middle).start() <= at) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return pieces.get(low);
    }

    /// What is wrong where the reading is; what lacks an end is told of where the text begins.
    private YamlException malformed(String problem) {
        int at = position < text.length() ? position : 0;
        Piece piece = piece(at);
        return new YamlException(piece.line(), piece.column() + at - piece.start(), problem);
    }
}
