// SPDX-License-Identifier: Apache-2.0
package dev.millrace.settings;

import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A value of the configuration file, with where it is. Reading it as something that it is not is a
/// [SettingException]. Threads: immutable, any.
///
/// @param file the configuration file
/// @param name the names that lead to it, with points in between
/// @param node what is there
public record Setting(Path file, String name, YamlNode node) {
    private static final int MAX_SHOWN = 60;
    private static final Map<String, Duration> UNITS = Map.of(
            "us",
            Duration.ofNanos(1_000),
            "ms",
            Duration.ofMillis(1),
            "s",
            Duration.ofSeconds(1),
            "m",
            Duration.ofMinutes(1),
            "h",
            Duration.ofHours(1),
            "d",
            Duration.ofDays(1));

    /// The problem that something else was expected here.
    public SettingException wrong(String expected) {
        return problem(shown() + " came, expected " + expected);
    }

    /// A problem with this.
    public SettingException problem(String problem) {
        String place = name.isEmpty() ? "" : name + ": ";
        return new SettingException(file, node.line(), node.column(), place + problem);
    }

    private String shown() {
        return switch (node) {
            case Scalar scalar
            when scalar.text().length() > MAX_SHOWN -> "'" + scalar.text().substring(0, MAX_SHOWN) + "...'";
            case Scalar scalar -> "'" + scalar.text() + "'";
            case Sequence _ -> "a list";
            case Mapping _ -> "names with values";
        };
    }

    /// A text that is not empty.
    public String text() {
        if (node instanceof Scalar scalar && !scalar.text().isEmpty()) {
            return scalar.text();
        }
        throw wrong("a text");
    }

    /// A whole number.
    public long integer(long least, long most) {
        if (node instanceof Scalar scalar && !scalar.quoted() && scalar.text().matches("[-+]?\\d{1,18}")) {
            long number = Long.parseLong(scalar.text());
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw wrong("a whole number from " + least + " to " + most);
    }

    /// One of some words.
    public String word(List<String> words) {
        if (node instanceof Scalar scalar && words.contains(scalar.text())) {
            return scalar.text();
        }
        throw wrong("one of " + words);
    }

    /// True or false.
    public boolean bool() {
        return word(List.of("true", "false")).equals("true");
    }

    /// A length of time.
    public Duration duration() {
        if (node instanceof Scalar scalar && scalar.text().matches("\\d{1,9}(us|ms|s|m|h|d)")) {
            String text = scalar.text();
            int digits = text.replaceAll("[a-z]", "").length();
            return UNITS.get(text.substring(digits)).multipliedBy(Long.parseLong(text.substring(0, digits)));
        }
        throw wrong("a length of time such as 500us, 20ms, 30s, 15m, 2h or 7d");
    }

    /// A file or folder; one that is not absolute is beside the configuration file.
    public Path path() {
        try {
            return file.resolveSibling(text());
        } catch (InvalidPathException e) {
            throw problem(e.getMessage());
        }
    }

    /// The items of a list.
    public List<Setting> items() {
        if (!(node instanceof Sequence list)) {
            throw wrong("a list");
        }
        List<Setting> items = new ArrayList<>();
        for (YamlNode item : list.items()) {
            items.add(new Setting(file, name + "[" + items.size() + "]", item));
        }
        return items;
    }

    /// Names with values, whatever the names.
    public Map<String, Setting> entries() {
        if (!(node instanceof Mapping mapping)) {
            throw wrong("names with values");
        }
        Map<String, Setting> entries = new LinkedHashMap<>();
        mapping.entries().forEach(entry -> entries.put(entry.name(), inner(entry.name(), entry.value())));
        return entries;
    }

    /// Names with values, of which only these may be there.
    public Settings settings(String... names) {
        List<String> known = List.of(names);
        if (!(node instanceof Mapping mapping)) {
            throw wrong("names with values, of " + known);
        }
        for (YamlNode.Entry entry : mapping.entries()) {
            if (!known.contains(entry.name())) {
                throw new SettingException(
                        file,
                        entry.line(),
                        entry.column(),
                        inner(entry.name(), node).name() + ": no such name, expected one of " + known);
            }
        }
        return new Settings(this, entries(), known);
    }

    private Setting inner(String inner, YamlNode value) {
        return new Setting(file, name.isEmpty() ? inner : name + "." + inner, value);
    }
}
