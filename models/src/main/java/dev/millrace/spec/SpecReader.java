// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlException;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads the whole of a specification; of its features [FeatureReader] reads each.
///
/// Threads: one per text.
final class SpecReader {
    private static final long MAX_BYTES = 1L << 24;
    /// Names that inputs begin with which are no field's or view's.
    private static final Set<String> RESERVED = Set.of("request_time", "features");

    private final Problems problems;
    private final StateFiles files;
    private final Map<String, Entity> entities = new LinkedHashMap<>();
    private final Map<String, FieldSpec> request = new LinkedHashMap<>();
    private final Map<String, FeatureView> views = new LinkedHashMap<>();

    private SpecReader(Problems problems, StateFiles files) {
        this.problems = problems;
        this.files = files;
    }

    static FeatureSpec read(Path file) throws IOException {
        Problems problems = new Problems();
        Place whole = new Place(FeatureSpec.FILE_NAME, "", new Scalar("", false, 1, 1));
        if (Files.size(file) > MAX_BYTES) {
            problems.add(whole, Files.size(file) + " bytes came, expected " + MAX_BYTES + " at most");
            problems.throwIfAny();
        }
        byte[] bytes = Files.readAllBytes(file);
        String text = "";
        try {
            text = StateFiles.decode(bytes);
        } catch (CharacterCodingException _) {
            problems.add(whole, "bytes came that are no UTF-8, expected a text");
            problems.throwIfAny();
        }
        return parse(text, bytes, file.toAbsolutePath().getParent(), problems);
    }

    static FeatureSpec parse(String text, Path folder) {
        return parse(text, text.getBytes(StandardCharsets.UTF_8), folder, new Problems());
    }

    /// Reads a text that may have gaps.
    ///
    /// @param learned what they are filled with for now
    /// @param gaps where they are added
    /// @param named where the files are added that it names, by name
    static FeatureSpec parse(
            String text, Path folder, List<String> learned, List<FeatureTemplate.Gap> gaps, Map<String, byte[]> named) {
        Problems problems = new Problems();
        StateFiles files = new StateFiles(folder, problems, learned, gaps);
        FeatureSpec spec = parse(text, text.getBytes(StandardCharsets.UTF_8), problems, files);
        named.putAll(files.contents());
        return spec;
    }

    private static FeatureSpec parse(String text, byte[] bytes, Path folder, Problems problems) {
        return parse(text, bytes, problems, new StateFiles(folder, problems));
    }

    private static FeatureSpec parse(String text, byte[] bytes, Problems problems, StateFiles files) {
        Mapping root = null;
        try {
            root = Yaml.parse(text);
        } catch (YamlException e) {
            problems.add(FeatureSpec.FILE_NAME, e);
            problems.throwIfAny();
        }
        return new SpecReader(problems, files)
                .read(new Section("spec", new Place(FeatureSpec.FILE_NAME, "", root), problems), bytes);
    }

    private FeatureSpec read(Section spec, byte[] bytes) {
        spec.word("apiVersion", null);
        spec.word("kind", null);
        String name = spec.name("name");
        long version = spec.integer("version", 0, 0, Long.MAX_VALUE);
        spec.items("request").forEach(this::readRequestField);
        spec.items("entities").forEach(this::readEntity);
        readViews(spec.at("sources"));
        FeatureReader reader = new FeatureReader(problems, files, request, views);
        List<Feature> features = new ArrayList<>();
        for (Place place : spec.items("features")) {
            Feature feature = reader.read(place);
            if (feature != null) {
                features.add(feature);
            }
        }
        if (spec.has("features") && reader.isWithoutColumns()) {
            problems.add(spec.at("features"), "no column came, expected one at least");
        }
        Section output = spec.section("output", "output");
        String tensor = null;
        if (output != null) {
            tensor = output.text("tensor", null);
            output.word("type", null);
            output.word("layout", null);
        }
        problems.throwIfAny();
        FeatureSpec.Head head = new FeatureSpec.Head(name, version, tensor);
        FeatureSpec.Parts parts = new FeatureSpec.Parts(
                List.copyOf(request.values()), List.copyOf(views.values()), features, reader.places());
        return new FeatureSpec(head, parts, files.digest(bytes));
    }

    private void readRequestField(Place place) {
        Section section = new Section("request_field", place, problems);
        String name = section.name("name");
        FieldSpec field = new FieldSpec(name, type(section), section.bool("required", false), null);
        if (name != null && RESERVED.contains(name)) {
            problems.add(section.at("name"), "'" + name + "' came, which has a meaning of its own, expected another");
        } else if (name != null && request.putIfAbsent(name, field) != null) {
            problems.add(section.at("name"), "'" + name + "' came before, expected it once");
        }
    }

    private static ValueType type(Section section) {
        String word = section.word("type", ValueType.FLOAT64.word());
        for (ValueType type : ValueType.values()) {
            if (type.word().equals(word)) {
                return type;
            }
        }
        throw new IllegalStateException(word);
    }

    private void readEntity(Place place) {
        Section section = new Section("entity", place, problems);
        String name = section.name("name");
        ValueType type = section.word("type", "int64").equals("string") ? ValueType.STRING : ValueType.INT64;
        List<Place> keys = section.items("join_keys");
        if (keys.size() != 1) {
            if (section.has("join_keys")) {
                problems.add(section.at("join_keys"), keys.size() + " join keys came, expected one");
            }
        } else if (keys.getFirst().node() instanceof Scalar(String key, var _, var _, var _)) {
            FieldSpec field = request.get(key);
            if (field == null) {
                problems.add(
                        keys.getFirst(),
                        "'" + key + "' came, expected one of the request's fields " + request.keySet());
            } else if (field.type() != type) {
                problems.add(
                        keys.getFirst(),
                        "'" + key + "' came, which is " + field.type().word() + ", expected a field that is "
                                + type.word());
            }
            if (name != null && entities.putIfAbsent(name, new Entity(name, key, type)) != null) {
                problems.add(section.at("name"), "'" + name + "' came before, expected it once");
            }
        } else {
            problems.add(keys.getFirst(), Values.shown(keys.getFirst().node()) + " came, expected a field's name");
        }
    }

    private void readViews(Place sources) {
        if (sources == null) {
            return;
        }
        if (!(sources.node() instanceof Mapping mapping)) {
            problems.add(sources, Values.shown(sources.node()) + " came, expected the views by their names");
            return;
        }
        for (Entry entry : mapping.entries()) {
            Place place = sources.in(entry.name(), entry.value());
            if (!entry.name().matches("[A-Za-z_][A-Za-z0-9_-]*") || RESERVED.contains(entry.name())) {
                problems.add(place, "'" + entry.name() + "' came, expected a view's name, which no other thing has");
            }
            views.put(entry.name(), view(entry.name(), new Section("view", place, problems)));
        }
    }

    private FeatureView view(String name, Section section) {
        FeatureView.Kind kind = section.choice("kind", FeatureView.Kind.STORE);
        List<FieldSpec> fields = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Place place : section.items("fields")) {
            FieldSpec field = viewField(new Section("view_field", place, problems));
            fields.add(field);
            if (field.name() != null && !names.add(field.name())) {
                problems.add(place, "'" + field.name() + "' came before, expected it once");
            }
        }
        if (fields.isEmpty() && section.has("fields")) {
            problems.add(section.at("fields"), "no field came, expected one at least");
        }
        FeatureView.OnStale onStale = section.choice("on_stale", FeatureView.OnStale.DEFAULT);
        FeatureView.OnMissing onMissing = section.choice("on_missing_entity", FeatureView.OnMissing.DEFAULT);
        FeatureView.OnUnavailable onUnavailable = section.choice("on_unavailable", FeatureView.OnUnavailable.REJECT);
        Place ttl = section.at("ttl");
        Duration age = ttl == null ? null : Values.duration(ttl, problems);
        String event = section.name("timestamp_field");
        String created = section.name("created_timestamp_field");
        if (ttl == null && section.has("on_stale")) {
            problems.add(section.at("on_stale"), "came without a ttl, expected one");
        }
        return new FeatureView(
                name,
                kind,
                entity(section, kind),
                new FeatureView.Times(event, created),
                age,
                new FeatureView.Policies(onStale, onMissing, onUnavailable),
                fields);
    }

    private Entity entity(Section section, FeatureView.Kind kind) {
        if (kind == FeatureView.Kind.REQUEST) {
            for (String key : List.of(
                    "entity",
                    "timestamp_field",
                    "created_timestamp_field",
                    "ttl",
                    "on_stale",
                    "on_missing_entity",
                    "on_unavailable")) {
                if (section.has(key)) {
                    problems.add(section.at(key), "came, expected none: the request has this view's values");
                }
            }
            return null;
        }
        YamlNode node =
                section.need("entity") == null ? null : section.at("entity").node();
        if (node instanceof Scalar(String name, var _, var _, var _) && entities.containsKey(name)) {
            return entities.get(name);
        }
        if (node != null) {
            problems.add(section.at("entity"), Values.shown(node) + " came, expected one of " + entities.keySet());
        }
        return null;
    }

    private FieldSpec viewField(Section section) {
        ValueType type = type(section);
        Place fallback = section.at("default");
        Literal literal = fallback == null ? null : Values.literal(fallback, type, problems);
        return new FieldSpec(section.name("name"), type, false, literal);
    }
}
