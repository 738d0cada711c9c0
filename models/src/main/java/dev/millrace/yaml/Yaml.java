// SPDX-License-Identifier: Apache-2.0
package dev.millrace.yaml;

import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Sequence;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads the part of YAML that the project's files are written in: mappings and lists by
/// indentation or in brackets, texts plain or quoted, and comments. JSON is part of it.
///
/// Anchors, aliases, tags, blocks of text, complex keys and several documents are not read and said
/// to be so. A library for all of YAML would be one more that every embedder inherits.
///
/// Threads: one per text.
public final class Yaml {
    static final int MAX_DEPTH = 64;
    private static final String RESERVED = "&*!|>%@`?";

    /// A line without its indentation and comment.
    record Line(int number, int indent, String text) {
        /// The column of a character of the text.
        int column(int index) {
            return indent + index + 1;
        }
    }

    private final List<Line> lines = new ArrayList<>();
    private int next;

    private Yaml(String text) {
        String[] all = text.split("\n", -1);
        for (int i = 0; i < all.length; i++) {
            String line = all[i].endsWith("\r") ? all[i].substring(0, all[i].length() - 1) : all[i];
            if (i == 0 && line.startsWith("\uFEFF")) {
                line = line.substring(1);
            }
            add(i + 1, line);
        }
    }

    private void add(int number, String line) {
        String text = withoutComment(line).stripTrailing();
        int indent = 0;
        while (indent < text.length() && text.charAt(indent) == ' ') {
            indent++;
        }
        if (text.isBlank() || (text.equals("---") && lines.isEmpty())) {
            return;
        }
        if (text.charAt(indent) == '\t') {
            throw new YamlException(number, indent + 1, "a tab came, expected blanks to indent by");
        }
        if (text.startsWith("---") || text.startsWith("...")) {
            throw new YamlException(number, 1, "expected one document, came the mark of another");
        }
        lines.add(new Line(number, indent, text.strip()));
    }

    /// The line up to a `#` that begins it or follows a blank, outside of quotes.
    private static String withoutComment(String line) {
        char quote = 0;
        for (int i = 0; i < line.length(); i++) {
            char character = line.charAt(i);
            boolean afterBlank = i == 0 || " \t[{,".indexOf(line.charAt(i - 1)) >= 0;
            if (quote != 0) {
                if (character == '\\' && quote == '"') {
                    i++;
                } else if (character == quote) {
                    quote = 0;
                }
            } else if ((character == '"' || character == '\'') && afterBlank) {
                quote = character;
            } else if (character == '#' && afterBlank) {
                return line.substring(0, i);
            }
        }
        return line;
    }

    /// Reads a text, which is a mapping; one without any line is an empty one.
    ///
    /// @throws YamlException if it is not, or is not of the part of YAML that is read here
    public static Mapping parse(String text) {
        YamlNode value = parseValue(text);
        if (value instanceof Mapping mapping) {
            return mapping;
        }
        String first = new Yaml(text).lines.getFirst().text();
        throw new YamlException(value.line(), value.column(), "expected 'name: value', came '" + first + "'");
    }

    /// Reads a text, which is a mapping, a list or a scalar; one without any line is an empty
    /// mapping.
    ///
    /// @throws YamlException if it is not of the part of YAML that is read here
    public static YamlNode parseValue(String text) {
        Yaml yaml = new Yaml(text);
        if (yaml.lines.isEmpty()) {
            return new Mapping(List.of(), 1, 1);
        }
        YamlNode value = yaml.block(yaml.lines.getFirst().indent(), 0);
        if (yaml.next < yaml.lines.size()) {
            throw problem(yaml.lines.get(yaml.next), 0, "the line is indented less than the first one");
        }
        return value;
    }

    private static YamlException problem(Line line, int index, String problem) {
        return new YamlException(line.number(), line.column(index), problem);
    }

    /// The mapping, list or value that begins with the next line and goes on as long as lines have
    /// its indentation.
    private YamlNode block(int indent, int depth) {
        Line line = lines.get(next);
        if (depth > MAX_DEPTH) {
            throw problem(line, 0, "values are nested deeper than " + MAX_DEPTH);
        }
        if (isItem(line)) {
            return list(indent, depth);
        }
        if (colon(line) < 0) {
            if (next == 0 && "[{\"'".indexOf(line.text().charAt(0)) < 0) {
                throw problem(line, 0, "expected 'name: value', came '" + line.text() + "'");
            }
            next++;
            return inline(line, 0, depth);
        }
        return mapping(indent, depth);
    }

    private static boolean isItem(Line line) {
        return line.text().equals("-") || line.text().startsWith("- ");
    }

    private Mapping mapping(int indent, int depth) {
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Line first = lines.get(next);
        while (next < lines.size() && lines.get(next).indent() == indent && !isItem(lines.get(next))) {
            Line line = lines.get(next);
            int colon = colon(line);
            if (colon < 0) {
                throw problem(line, 0, "expected 'name: value', came '" + line.text() + "'");
            }
            String name = new YamlFlow(line, 0, line.text().substring(0, colon)).name();
            if (!names.add(name)) {
                throw problem(line, 0, "'" + name + "' came before, expected it once");
            }
            next++;
            entries.add(new Entry(name, value(line, afterBlanks(line, colon + 1), depth), line.number(), indent + 1));
        }
        rejectDeeper(indent);
        return new Mapping(entries, first.number(), indent + 1);
    }

    private Sequence list(int indent, int depth) {
        List<YamlNode> items = new ArrayList<>();
        Line first = lines.get(next);
        while (next < lines.size() && lines.get(next).indent() == indent && isItem(lines.get(next))) {
            Line line = lines.get(next);
            int start = afterBlanks(line, 1);
            String rest = line.text().substring(start);
            Line inner = new Line(line.number(), indent + start, rest);
            if (!rest.isEmpty() && (isItem(inner) || colon(inner) >= 0)) {
                lines.set(next, inner);
                items.add(block(inner.indent(), depth + 1));
            } else {
                next++;
                items.add(value(line, start, depth));
            }
        }
        rejectDeeper(indent);
        return new Sequence(items, first.number(), indent + 1);
    }

    private static int afterBlanks(Line line, int start) {
        int index = start;
        while (index < line.text().length()
                && Character.isWhitespace(line.text().charAt(index))) {
            index++;
        }
        return index;
    }

    private void rejectDeeper(int indent) {
        if (next < lines.size() && lines.get(next).indent() > indent) {
            throw problem(lines.get(next), 0, "the line is indented more than those beside it");
        }
    }

    /// What follows a name or a dash: the rest of the line, or else the lines below.
    private YamlNode value(Line line, int start, int depth) {
        if (start < line.text().length()) {
            return inline(line, start, depth);
        }
        if (next < lines.size()) {
            Line below = lines.get(next);
            boolean listBeside = below.indent() == line.indent() && isItem(below) && !isItem(line);
            if (below.indent() > line.indent() || listBeside) {
                return block(below.indent(), depth + 1);
            }
        }
        throw problem(line, 0, "'" + line.text() + "' has no value, expected one");
    }

    /// A value in one line, or in brackets over some.
    private YamlNode inline(Line line, int start, int depth) {
        if (RESERVED.indexOf(line.text().charAt(start)) >= 0) {
            throw problem(
                    line,
                    start,
                    "'" + line.text().charAt(start) + "' begins a value, expected it in quotes: anchors, tags, blocks"
                            + " of text and complex keys are not read here");
        }
        YamlFlow flow = new YamlFlow(line, start, line.text().substring(start));
        while (!flow.isComplete() && next < lines.size()) {
            flow.append(lines.get(next++));
        }
        return flow.whole(depth);
    }

    /// Where the colon after the line's name is, or -1.
    private static int colon(Line line) {
        String text = line.text();
        int from = 0;
        char first = text.charAt(0);
        if (first == '"' || first == '\'') {
            from = YamlFlow.endOfQuotes(text, 0);
            return from > 0 && from < text.length() && text.charAt(from) == ':' ? from : -1;
        }
        if (first == '[' || first == '{') {
            return -1;
        }
        int colon = text.indexOf(": ");
        return colon >= 0 ? colon : text.endsWith(":") ? text.length() - 1 : -1;
    }
}
