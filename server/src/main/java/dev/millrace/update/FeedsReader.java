// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.settings.Setting;
import dev.millrace.settings.Settings;
import dev.millrace.update.FeedConfig.Format;
import dev.millrace.update.FeedConfig.KeyForm;
import dev.millrace.update.FeedConfig.Kind;
import dev.millrace.update.FeedConfig.Letters;
import dev.millrace.update.FeedConfig.Source;
import dev.millrace.update.FeedConfig.Time;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Reads the section `updates` of the server's configuration file. Threads: any.
public final class FeedsReader {
    private static final String NAMES = "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*";
    private static final String TOPIC = "[A-Za-z0-9._-]{1,249}";
    /// What a feed itself has to say.
    private static final Map<String, String> OWN = Map.of(
            "bootstrap.servers",
            "bootstrap_servers",
            "group.id",
            "group",
            "enable.auto.commit",
            "",
            "key.deserializer",
            "",
            "value.deserializer",
            "");

    private FeedsReader() {}

    /// The feeds of a section.
    ///
    /// @throws dev.millrace.settings.SettingException if something of it is wrong
    public static List<FeedConfig> read(Setting section) {
        List<FeedConfig> feeds = new ArrayList<>();
        Set<String> sources = new HashSet<>();
        Set<Path> files = new HashSet<>();
        for (Setting item : section.items()) {
            FeedConfig feed = feed(item);
            if (!sources.add(feed.view() + " " + feed.source().topic())) {
                throw item.problem("view '" + feed.view() + "' and topic '"
                        + feed.source().topic() + "' came before, expected them together once");
            }
            if (feed.deadLetters().file().filter(file -> !files.add(file)).isPresent()) {
                throw item.problem(feed.deadLetters() + " came before, expected one for each feed");
            }
            feeds.add(feed);
        }
        return feeds;
    }

    private static FeedConfig feed(Setting item) {
        Settings settings = item.settings(
                "view",
                "kafka",
                "format",
                "schema",
                "header",
                "descriptor",
                "message",
                "columns",
                "event_time",
                "event_time_unit",
                "availability_time",
                "availability_time_unit",
                "dead_letters",
                "tombstones");
        return new FeedConfig(
                settings.need("view").text(),
                source(settings.need("kafka")),
                format(settings),
                settings.find("columns").map(FeedsReader::columns).orElse(Map.of()),
                time(settings, "event_time"),
                time(settings, "availability_time"),
                letters(settings.need("dead_letters"), settings.need("kafka")),
                settings.find("tombstones").map(form -> choice(form, KeyForm.class)));
    }

    private static Source source(Setting kafka) {
        Settings settings = kafka.settings("bootstrap_servers", "topic", "group", "properties");
        Map<String, String> properties = new LinkedHashMap<>();
        settings.find("properties").map(Setting::entries).orElse(Map.of()).forEach((name, value) -> {
            if (OWN.containsKey(name)) {
                throw value.problem("'" + name + "' came, expected "
                        + (OWN.get(name).isEmpty() ? "that it is left to the server" : "'" + OWN.get(name) + "'"));
            }
            properties.put(name, value.text());
        });
        Setting servers = settings.need("bootstrap_servers");
        return new Source(
                servers.node() instanceof dev.millrace.yaml.YamlNode.Sequence
                        ? servers.items().stream().map(Setting::text).collect(Collectors.joining(","))
                        : servers.text(),
                topic(settings.need("topic")),
                settings.need("group").text(),
                properties);
    }

    private static String topic(Setting setting) {
        if (!setting.text().matches(TOPIC)) {
            throw setting.wrong("the name of a topic: at most 249 letters, digits, '.', '_' and '-'");
        }
        return setting.text();
    }

    private static Format format(Settings settings) {
        Setting format = settings.need("format");
        Kind kind = choice(format, Kind.class);
        requireOf(settings, "schema", kind, Kind.AVRO);
        requireOf(settings, "descriptor", kind, Kind.PROTOBUF);
        requireOf(settings, "message", kind, Kind.PROTOBUF);
        Optional<Setting> file = settings.find(kind == Kind.AVRO ? "schema" : "descriptor");
        settings.find("header").ifPresent(header -> header.word(List.of("none", "confluent")));
        return new Format(
                kind,
                file.map(Setting::path),
                settings.find("message").map(Setting::text),
                settings.find("header").map(Setting::text).orElse("none").equals("confluent"));
    }

    /// What a kind needs has to be there, and nowhere else.
    private static void requireOf(Settings settings, String name, Kind kind, Kind only) {
        if (kind == only) {
            settings.need(name);
        } else if (settings.find(name).isPresent()) {
            throw settings.need(name).problem("came, expected it only with 'format: " + word(only) + "'");
        }
    }

    private static Map<String, String> columns(Setting setting) {
        Map<String, String> columns = new LinkedHashMap<>();
        setting.entries().forEach((field, path) -> columns.put(field, path(path)));
        return columns;
    }

    private static String path(Setting setting) {
        if (!setting.text().matches(NAMES)) {
            throw setting.wrong("names with '.' in between");
        }
        return setting.text();
    }

    private static Optional<Time> time(Settings settings, String name) {
        Optional<Setting> unit = settings.find(name + "_unit");
        if (settings.find(name).isEmpty() && unit.isPresent()) {
            throw unit.get().problem("came, expected it only with '" + name + "'");
        }
        return settings.find(name)
                .map(column -> new Time(
                        path(column),
                        unit.map(word -> choice(word, EpochUnit.class)).orElse(EpochUnit.MICROS)));
    }

    private static Letters letters(Setting setting, Setting kafka) {
        Settings settings = setting.settings("topic", "file");
        if (settings.values().size() != 1) {
            throw setting.problem(settings.values().keySet() + " came, expected 'topic' or 'file'");
        }
        settings.find("topic").ifPresent(topic -> {
            if (topic(topic).equals(kafka.entries().get("topic").text())) {
                throw topic.wrong("another topic than that which is read");
            }
        });
        return new Letters(
                settings.find("topic").map(Setting::text),
                settings.find("file").map(file -> file.path().toAbsolutePath().normalize()));
    }

    private static <E extends Enum<E>> E choice(Setting setting, Class<E> type) {
        List<String> words = java.util.Arrays.stream(type.getEnumConstants())
                .map(FeedsReader::word)
                .toList();
        return Enum.valueOf(type, setting.word(words).toUpperCase(Locale.ROOT));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
