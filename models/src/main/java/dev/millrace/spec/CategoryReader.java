// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.spec.Transform.OneHot;
import dev.millrace.spec.Transform.Vocab;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Sequence;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads the transforms that have categories, and tables of them.
///
/// Threads: one.
final class CategoryReader {
    private static final int MOST = 1 << 24;

    private final Problems problems;
    private final StateFiles files;

    CategoryReader(Problems problems, StateFiles files) {
        this.problems = problems;
        this.files = files;
    }

    Transform vocab(Section section, ValueKind kind, String feature, int index) {
        Vocabulary vocabulary = vocabulary(section, "values", kind, new FitReader(section, "vocab", feature, index));
        Vocab.Unknown unknown = section.choice("unknown", Vocab.Unknown.VALUE);
        dependent(section, "unknown_value", unknown == Vocab.Unknown.VALUE, "unknown: value");
        dependent(section, "oov_buckets", unknown == Vocab.Unknown.HASH, "unknown: hash");
        long value = section.integer("unknown_value", -1, Integer.MIN_VALUE, Integer.MAX_VALUE);
        int buckets = (int) section.integer("oov_buckets", 1, 1, MOST);
        Long missing = section.has("missing_value")
                ? (Long) section.integer("missing_value", 0, Integer.MIN_VALUE, Integer.MAX_VALUE)
                : null;
        return new Vocab(vocabulary, unknown, value, buckets, missing);
    }

    /// A key that belongs to a choice, and has to be there then.
    private void dependent(Section section, String key, boolean wanted, String choice) {
        if (wanted) {
            section.need(key);
        } else if (section.has(key)) {
            problems.add(section.at(key), "came, expected it with " + choice + " only");
        }
    }

    Transform oneHot(Section section, ValueKind kind, String feature, int index) {
        Vocabulary vocabulary = vocabulary(section, "vocab", kind, new FitReader(section, "one_hot", feature, index));
        OneHot oneHot = new OneHot(
                vocabulary, section.choice("unknown", OneHot.Unknown.IGNORE), section.choice("drop", OneHot.Drop.NONE));
        if (vocabulary.size() > 0 && oneHot.width() == 0) {
            section.problem("a single category came, which is dropped, expected a column at least");
        }
        return oneHot;
    }

    private Vocabulary vocabulary(Section section, String key, ValueKind kind, FitReader fit) {
        Place place = section.at(key);
        Place list = place == null ? null : fit.list(files, place);
        FitReader.options(section);
        List<String> texts = new ArrayList<>();
        List<Long> integers = new ArrayList<>();
        if (list != null && !(list.node() instanceof Sequence)) {
            problems.add(list, Values.shown(list.node()) + " came, expected a list of categories");
        } else if (list != null) {
            Sequence items = (Sequence) list.node();
            if (items.items().isEmpty() || items.items().size() > MOST) {
                problems.add(list, items.items().size() + " categories came, expected 1 to " + MOST);
            }
            Set<Literal> seen = new HashSet<>();
            for (int i = 0; i < items.items().size(); i++) {
                add(list.item(i, items.items().get(i)), kind, seen, texts, integers);
            }
        }
        return kind == ValueKind.INTEGER ? new Vocabulary(null, integers) : new Vocabulary(texts, null);
    }

    private void add(Place item, ValueKind kind, Set<Literal> seen, List<String> texts, List<Long> integers) {
        Literal literal =
                Values.literal(item, kind == ValueKind.INTEGER ? ValueKind.INTEGER : ValueKind.TEXT, problems);
        if (literal != null && !seen.add(literal)) {
            problems.add(item, Values.shown(item.node()) + " came before, expected each category once");
        }
        if (literal instanceof Literal.Whole(long value)) {
            integers.add(value);
        } else if (literal instanceof Literal.Text(String value)) {
            texts.add(value);
        }
    }

    Transform embed(Section section) {
        Place place = section.at("table");
        Place list = place == null ? null : files.list(place);
        int missing = (int) section.integer("missing_row", -1, 0, MOST);
        if (list == null) {
            return null;
        }
        if (!(list.node() instanceof Sequence rows)
                || rows.items().isEmpty()
                || !(rows.items().getFirst() instanceof Sequence first)
                || first.items().isEmpty()) {
            problems.add(list, Values.shown(list.node()) + " came, expected a list of rows, each a list of numbers");
            return null;
        }
        int width = first.items().size();
        if ((long) rows.items().size() * width > MOST) {
            problems.add(
                    list, rows.items().size() + " rows of " + width + " came, expected " + MOST + " numbers at most");
            return null;
        }
        float[] values = new float[rows.items().size() * width];
        for (int row = 0; row < rows.items().size(); row++) {
            readRow(list.item(row, rows.items().get(row)), values, row, width);
        }
        if (missing >= rows.items().size()) {
            problems.add(
                    section.at("missing_row"),
                    missing + " came, expected a row from 0 to " + (rows.items().size() - 1));
        }
        return new Transform.Embed(new Table(width, values), missing);
    }

    private void readRow(Place place, float[] values, int row, int width) {
        if (!(place.node() instanceof Sequence numbers) || numbers.items().size() != width) {
            problems.add(
                    place,
                    (place.node() instanceof Sequence list ? list.items().size() + " numbers" : "no list")
                            + " came, expected a list of " + width + ", as the first row");
            return;
        }
        for (int column = 0; column < width; column++) {
            YamlNode node = numbers.items().get(column);
            Double number = Values.number32(place.item(column, node), problems);
            values[row * width + column] = number == null ? 0 : number.floatValue();
        }
    }
}
