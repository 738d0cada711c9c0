// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Malformed;
import dev.millrace.model.TextProto.Message;
import dev.millrace.model.TextProto.Scalar;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlException;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads a configuration in YAML into the fields that protobuf's text has: of a mapping that is a map there, each entry
/// becomes a message of a key and a value.
///
/// Threads: stateless.
final class YamlFields {
    private static final String PARAMETERS = "parameters";

    /// The fields that are maps, by their path.
    private static final Set<String> MAPS = Set.of(
            PARAMETERS,
            "cc_model_filenames",
            "metric_tags",
            "dynamic_batching.priority_queue_policy",
            "model_warmup.inputs",
            "ensemble_scheduling.step.input_map",
            "ensemble_scheduling.step.output_map");

    private YamlFields() {}

    /// Reads a text.
    ///
    /// @throws Malformed if it is not the YAML that is read here
    static Message read(String text) {
        return of(tree(text));
    }

    /// The tree of a text as it is written, mappings as messages. A list is a field that is repeated.
    ///
    /// @throws Malformed if it is not the YAML that is read here
    static Message tree(String text) {
        try {
            return message(Yaml.parse(text));
        } catch (YamlException e) {
            throw new Malformed(e.line(), e.problem());
        }
    }

    private static Message message(Mapping mapping) {
        List<Field> fields = new ArrayList<>();
        for (Entry entry : mapping.entries()) {
            if (!(entry.value() instanceof Sequence list)) {
                fields.add(new Field(entry.name(), value(entry, entry.value()), entry.line()));
                continue;
            }
            for (YamlNode item : list.items()) {
                fields.add(new Field(entry.name(), value(entry, item), entry.line()));
            }
        }
        return new Message(fields);
    }

    private static Object value(Entry entry, YamlNode node) {
        return switch (node) {
            case Mapping mapping -> message(mapping);
            case YamlNode.Scalar scalar -> new Scalar(scalar.text(), scalar.quoted());
            case Sequence _ ->
                throw new Malformed(entry.line(), "'" + entry.name() + "' is a list of lists, expected one of values");
        };
    }

    /// The fields of a tree that has mappings where protobuf's text has entries.
    static Message of(Message tree) {
        return new Message(fields("", tree));
    }

    /// Whether a field is a map.
    static boolean isMap(String path) {
        return MAPS.contains(path);
    }

    private static List<Field> fields(String path, Message message) {
        List<Field> fields = new ArrayList<>();
        for (Field field : message.fields()) {
            String own = path + field.name();
            if (MAPS.contains(own)) {
                fields.addAll(entries(own, field));
            } else if (field.value() instanceof Message inner) {
                fields.add(new Field(field.name(), new Message(fields(own + ".", inner)), field.line()));
            } else {
                fields.add(field);
            }
        }
        return fields;
    }

    /// A parameter that is a mapping itself stands for several, with its name before theirs.
    private static List<Field> flat(String path, List<Field> entries) {
        if (!path.equals(PARAMETERS)) {
            return entries;
        }
        List<Field> all = new ArrayList<>();
        for (Field entry : entries) {
            if (entry.value() instanceof Message inner
                    && inner.fields().stream().noneMatch(field -> field.name().equals("string_value"))) {
                for (Field each : inner.fields()) {
                    all.add(new Field(entry.name() + "." + each.name(), each.value(), each.line()));
                }
            } else {
                all.add(entry);
            }
        }
        return all;
    }

    private static List<Field> entries(String path, Field map) {
        if (!(map.value() instanceof Message message)) {
            throw new Malformed(
                    map.line(),
                    map.name() + " is '" + ((Scalar) map.value()).text() + "', expected names" + " with values");
        }
        List<Field> entries = new ArrayList<>();
        for (Field entry : flat(path, message.fields())) {
            Object value = entry.value() instanceof Message inner
                    ? new Message(fields(path + ".value.", inner))
                    : entry.value();
            if (path.equals(PARAMETERS) && value instanceof Scalar) {
                value = new Message(List.of(new Field("string_value", value, entry.line())));
            }
            Field key = new Field("key", new Scalar(entry.name(), true), entry.line());
            Message both = new Message(List.of(key, new Field("value", value, entry.line())));
            entries.add(new Field(map.name(), both, entry.line()));
        }
        return entries;
    }
}
