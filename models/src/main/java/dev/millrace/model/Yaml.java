// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Malformed;
import dev.millrace.model.TextProto.Message;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads the part of YAML that configurations are written in, into the tree that [TextProto] gives, too: mappings and
/// lists by indentation or in brackets, texts plain or quoted, and comments. A list is a field that is repeated.
///
/// Anchors, aliases, tags, blocks of text, complex keys and several documents are not read and said to be so. A library
/// for all of YAML would be one more that every embedder inherits.
///
/// Threads: one per text.
final class Yaml {
    private static final int MAX_DEPTH = 64;
    private static final String RESERVED = "&*!|>%@`?";

    /// A line without its indentation and comment.
    private record Line(int number, int indent, String text) {}

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
            throw new Malformed(number, "a tab came, expected blanks to indent by");
        }
        if (text.startsWith("---") || text.startsWith("...")) {
            throw new Malformed(number, "expected one document, came the mark of another");
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

    /// Reads a text, which is a mapping.
    ///
    /// @throws Malformed if it is not, or is not of the part of YAML that is read here
    static Message parse(String text) {
        Yaml yaml = new Yaml(text);
        if (yaml.lines.isEmpty()) {
            return new Message(List.of());
        }
        Line first = yaml.lines.getFirst();
        Object value = yaml.block(first.indent(), 0);
        if (yaml.next < yaml.lines.size()) {
            throw new Malformed(yaml.lines.get(yaml.next).number(), "the line is indented less than the first one");
        }
        if (value instanceof Message message) {
            return message;
        }
        throw new Malformed(first.number(), "expected 'name: value', came '" + first.text() + "'");
    }

    /// The mapping, list or value that begins with the next line and goes on as long as lines have its indentation.
    private Object block(int indent, int depth) {
        if (depth > MAX_DEPTH) {
            throw new Malformed(lines.get(next).number(), "values are nested deeper than " + MAX_DEPTH);
        }
        Line line = lines.get(next);
        if (isItem(line)) {
            return list(indent, depth);
        }
        if (colon(line) < 0) {
            next++;
            return inline(line, line.text(), depth);
        }
        return mapping(indent, depth);
    }

    private static boolean isItem(Line line) {
        return line.text().equals("-") || line.text().startsWith("- ");
    }

    private Message mapping(int indent, int depth) {
        List<Field> fields = new ArrayList<>();
        Set<String> names = new HashSet<>();
        while (next < lines.size() && lines.get(next).indent() == indent && !isItem(lines.get(next))) {
            Line line = lines.get(next);
            int colon = colon(line);
            if (colon < 0) {
                throw new Malformed(line.number(), "expected 'name: value', came '" + line.text() + "'");
            }
            String name = new YamlFlow(line.number(), line.text().substring(0, colon)).name();
            if (!names.add(name)) {
                throw new Malformed(line.number(), "'" + name + "' came before, expected it once");
            }
            next++;
            addTo(
                    fields,
                    name,
                    line.number(),
                    value(line, line.text().substring(colon + 1).strip(), depth));
        }
        rejectDeeper(indent);
        return new Message(fields);
    }

    private List<Object> list(int indent, int depth) {
        List<Object> items = new ArrayList<>();
        while (next < lines.size() && lines.get(next).indent() == indent && isItem(lines.get(next))) {
            Line line = lines.get(next);
            String rest = line.text().substring(1).stripLeading();
            Line inner = new Line(line.number(), indent + line.text().length() - rest.length(), rest);
            if (!rest.isEmpty() && (isItem(inner) || colon(inner) >= 0)) {
                lines.set(next, inner);
                items.add(block(inner.indent(), depth + 1));
            } else {
                next++;
                items.add(value(line, rest, depth));
            }
        }
        rejectDeeper(indent);
        return items;
    }

    private void rejectDeeper(int indent) {
        if (next < lines.size() && lines.get(next).indent() > indent) {
            throw new Malformed(lines.get(next).number(), "the line is indented more than those beside it");
        }
    }

    /// What follows a name or a dash: the rest of the line, or else the lines below.
    private Object value(Line line, String rest, int depth) {
        if (!rest.isEmpty()) {
            return inline(line, rest, depth);
        }
        if (next < lines.size()) {
            Line below = lines.get(next);
            boolean listBeside = below.indent() == line.indent() && isItem(below) && !isItem(line);
            if (below.indent() > line.indent() || listBeside) {
                return block(below.indent(), depth + 1);
            }
        }
        throw new Malformed(line.number(), "'" + line.text() + "' has no value, expected one");
    }

    /// A value in one line, or in brackets over some.
    private Object inline(Line line, String text, int depth) {
        if (RESERVED.indexOf(text.charAt(0)) >= 0) {
            throw new Malformed(
                    line.number(),
                    "'" + text.charAt(0) + "' begins a value, expected it in quotes: anchors, tags, blocks of text and"
                            + " complex keys are not read here");
        }
        StringBuilder whole = new StringBuilder(text);
        while (!YamlFlow.isComplete(whole) && next < lines.size()) {
            whole.append(' ').append(lines.get(next++).text());
        }
        return new YamlFlow(line.number(), whole.toString()).whole(depth);
    }

    static void addTo(List<Field> fields, String name, int line, Object value) {
        if (!(value instanceof List<?> items)) {
            fields.add(new Field(name, value, line));
            return;
        }
        for (Object item : items) {
            if (item instanceof List<?>) {
                throw new Malformed(line, "'" + name + "' is a list of lists, expected one of values");
            }
            fields.add(new Field(name, item, line));
        }
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
