// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// One mapping of the file, by the keys that [Grammar] has for it. What is wrong is noted and
/// something harmless is returned, so that reading goes on and everything is found at once.
///
/// Threads: one.
final class Section {
    private static final String NAME = "[A-Za-z_][A-Za-z0-9_-]*";

    private final String shape;
    private final Place place;
    private final Problems problems;
    private final Map<String, Place> values = new LinkedHashMap<>();

    /// A mapping; any other value counts as an empty one, and is noted.
    Section(String shape, Place place, Problems problems) {
        this.shape = shape;
        this.place = place;
        this.problems = problems;
        if (!(place.node() instanceof Mapping mapping)) {
            problems.add(place, Values.shown(place.node()) + " came, expected names with values: " + keys());
            return;
        }
        add(place, mapping);
        for (String key : Grammar.SHAPES.get(shape).required()) {
            if (!values.containsKey(key)) {
                problems.add(place, "came without '" + key + "', expected it");
            }
        }
    }

    /// Takes the entries of a mapping, which may be in another file.
    void add(Place from, Mapping mapping) {
        for (Entry entry : mapping.entries()) {
            Place value = from.in(entry.name(), entry.value());
            if (!keys().contains(entry.name())) {
                Place name = from.in(entry.name(), new Scalar(entry.name(), false, entry.line(), entry.column()));
                problems.add(name, "came, expected one of " + keys());
            } else if (values.putIfAbsent(entry.name(), value) != null) {
                problems.add(
                        value,
                        "came twice, here and in " + values.get(entry.name()).file() + ", expected it once");
            }
        }
    }

    private List<String> keys() {
        return Grammar.SHAPES.get(shape).keys();
    }

    Place place() {
        return place;
    }

    Problems problems() {
        return problems;
    }

    void problem(String problem) {
        problems.add(place, problem);
    }

    /// Whether there is such a key, given or not.
    boolean takes(String key) {
        return keys().contains(key);
    }

    boolean has(String key) {
        return at(key) != null;
    }

    /// The value of a key, or null.
    Place at(String key) {
        if (!keys().contains(key)) {
            throw new IllegalStateException(key + " is no key of " + shape);
        }
        return values.get(key);
    }

    /// The value of a key; where there is none that is noted, unless it was because the key is
    /// always required.
    Place need(String key) {
        Place value = at(key);
        if (value == null && !Grammar.SHAPES.get(shape).required().contains(key)) {
            problems.add(place, "came without '" + key + "', expected it");
        }
        return value;
    }

    /// The value of a key as a text; `fallback` if it is not there.
    String text(String key, String fallback) {
        Place value = at(key);
        if (value == null) {
            return fallback;
        }
        if (value.node() instanceof Scalar scalar) {
            return scalar.text();
        }
        problems.add(value, Values.shown(value.node()) + " came, expected a text");
        return fallback;
    }

    /// The value of a key as a name; null if it is not there or is none.
    String name(String key) {
        String text = text(key, null);
        if (text != null && !text.matches(NAME)) {
            problems.add(at(key), "'" + text + "' came, expected a letter and then letters, digits, '_' and '-'");
            return null;
        }
        return text;
    }

    /// The value of a key, a finite number.
    double number(String key, double fallback) {
        Place value = at(key);
        Double number = value == null ? null : Values.number(value, problems);
        return number == null ? fallback : number;
    }

    /// The value of a key, a finite number that has to be there.
    double number(String key) {
        return need(key) == null ? Double.NaN : number(key, Double.NaN);
    }

    long integer(String key, long fallback, long least, long most) {
        Place value = at(key);
        Long number = value == null ? null : Values.integer(value, least, most, problems);
        return number == null ? fallback : number;
    }

    boolean bool(String key, boolean fallback) {
        String text = text(key, null);
        if (text != null && !text.equals("true") && !text.equals("false")) {
            problems.add(at(key), "'" + text + "' came, expected true or false");
            return fallback;
        }
        return text == null ? fallback : text.equals("true");
    }

    /// The value of a key, one of some words.
    String word(String key, String fallback) {
        List<String> words = Grammar.WORDS.get(shape + "." + key);
        String text = text(key, fallback);
        if (text != null && !words.contains(text)) {
            problems.add(at(key), "'" + text + "' came, expected one of " + words);
            return fallback;
        }
        return text;
    }

    /// The value of a key, one of the words that an enum's constants are.
    <T extends Enum<T>> T choice(String key, T fallback) {
        return Enum.valueOf(
                fallback.getDeclaringClass(),
                word(key, fallback.name().toLowerCase(Locale.ROOT)).toUpperCase(Locale.ROOT));
    }

    /// The items of a list; a single value is one.
    List<Place> items(String key) {
        Place value = at(key);
        if (value == null) {
            return List.of();
        }
        if (!(value.node() instanceof Sequence list)) {
            return List.of(value);
        }
        List<Place> items = new ArrayList<>();
        for (int i = 0; i < list.items().size(); i++) {
            items.add(value.item(i, list.items().get(i)));
        }
        return items;
    }

    /// A mapping in this one, or null if it is not there.
    Section section(String key, String ofShape) {
        Place value = at(key);
        return value == null ? null : new Section(ofShape, value, problems);
    }
}
