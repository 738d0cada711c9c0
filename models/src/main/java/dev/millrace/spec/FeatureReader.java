// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.spec.Transform.Impute;
import dev.millrace.spec.Transform.OneHot;
import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads features one after the other and checks that what one step gives is what the next takes.
///
/// Threads: one.
final class FeatureReader {
    private static final int MOST_COLUMNS = 1 << 16;
    private static final String FEATURES = "features.";

    private final Problems problems;
    private final TransformReader transforms;
    private final TreatmentReader treatments;
    private final Map<String, FieldSpec> request;
    private final Map<String, FeatureView> views;
    /// What the transforms of the features so far give; null for one that has problems.
    private final Map<String, ValueKind> results = new HashMap<>();

    /// Where each feature's transforms are.
    private final Map<String, List<String>> places = new HashMap<>();

    private final Set<String> columns = new HashSet<>();
    private int columnCount;
    private boolean tooMany;

    FeatureReader(Problems problems, StateFiles files, Map<String, FieldSpec> request, Map<String, FeatureView> views) {
        this.problems = problems;
        this.transforms = new TransformReader(problems, files);
        this.treatments = new TreatmentReader(problems);
        this.request = request;
        this.views = views;
    }

    /// Whether no feature has any.
    boolean isWithoutColumns() {
        return columnCount == 0 && problems.count() == 0;
    }

    /// Where the transforms of the features so far are, as problems begin.
    Map<String, List<String>> places() {
        return places;
    }

    /// The feature at a place, or null if it cannot be read.
    Feature read(Place place) {
        int before = problems.count();
        Section section = new Section("feature", named(place), problems);
        String name = section.name("name");
        if (name != null && results.containsKey(name)) {
            problems.add(section.at("name"), "'" + name + "' came before, expected it once");
        }
        List<Input> inputs = inputs(section);
        ValueKind raw = inputs.size() == 1 ? inputs.getFirst().kind() : null;
        Treatment treatment = Treatment.NONE;
        if (section.has("treat")) {
            if (inputs.size() > 1) {
                problems.add(
                        section.at("treat"),
                        "came with several inputs, expected one: treat each in a feature of its own, with "
                                + "emit: false");
            } else {
                treatment = treatments.read(section.section("treat", "treat"), raw);
            }
        }
        List<Transform> chain = new ArrayList<>();
        ValueKind kind = chain(section, inputs, chain, name);
        Place constant = section.at("default");
        Double fallback = constant == null ? null : Values.number32(constant, problems);
        List<Validation> validations = treatments.validations(section, fallback);
        Feature.Columns named = columns(section, kind, inputs.size(), treatment, chain);
        Map<String, String> monitor = monitor(section);
        if (name != null) {
            results.put(name, problems.count() == before ? kind : null);
        }
        return problems.count() > before
                ? null
                : new Feature(
                        name, inputs, treatment, chain, new Feature.Checks(validations, fallback), named, monitor);
    }

    private List<Input> inputs(Section section) {
        if (section.has("input") == section.has("inputs")) {
            section.problem("'input' and 'inputs' came " + (section.has("input") ? "both" : "neither")
                    + ", expected one of them");
            return List.of();
        }
        List<Input> inputs = new ArrayList<>();
        for (Place place : section.items(section.has("input") ? "input" : "inputs")) {
            Input input = place.node() instanceof Scalar(String word, var _, var _, var _) ? input(word) : null;
            if (input == null) {
                problems.add(place, Values.shown(place.node()) + " came, expected one of " + known());
            } else if (input.kind() == ValueKind.VECTOR) {
                problems.add(place, Values.shown(place.node()) + " came, which is several numbers, expected one value");
            }
            inputs.add(input == null ? new Input(Input.Origin.REQUEST, null, "", null) : input);
        }
        if (section.has("input") && inputs.size() != 1) {
            problems.add(section.at("input"), inputs.size() + " came, expected one; 'inputs' is for several");
        } else if (inputs.isEmpty()) {
            problems.add(section.at("inputs"), "none came, expected one at least");
        }
        return inputs;
    }

    private Input input(String word) {
        if (word.equals("request_time")) {
            return new Input(Input.Origin.REQUEST_TIME, null, word, ValueKind.TIME);
        }
        FieldSpec field = request.get(word);
        if (field != null) {
            return new Input(Input.Origin.REQUEST, null, word, field.type().kind());
        }
        int point = word.indexOf('.');
        String name = word.substring(point + 1);
        if (word.startsWith(FEATURES)) {
            return results.containsKey(name) ? new Input(Input.Origin.FEATURE, null, name, results.get(name)) : null;
        }
        FeatureView view = point < 0 ? null : views.get(word.substring(0, point));
        if (view != null) {
            for (FieldSpec each : view.fields()) {
                if (name.equals(each.name())) {
                    return new Input(
                            Input.Origin.VIEW, view.name(), name, each.type().kind());
                }
            }
        }
        return null;
    }

    private List<String> known() {
        List<String> known = new ArrayList<>(request.keySet());
        known.add("request_time");
        views.forEach((name, view) -> view.fields().forEach(field -> known.add(name + "." + field.name())));
        results.keySet().stream().sorted().forEach(name -> known.add(FEATURES + name));
        return known;
    }

    /// Reads the transforms into `chain`; returns what the last one gives, or null if that is not
    /// known.
    private ValueKind chain(Section section, List<Input> inputs, List<Transform> chain, String name) {
        List<ValueKind> kinds = new ArrayList<>();
        inputs.forEach(input -> kinds.add(input.kind()));
        if (kinds.isEmpty()) {
            kinds.add(null);
        }
        List<String> lines = new ArrayList<>();
        for (Place place : section.items("transform")) {
            Transform transform = transforms.read(place, kinds, name, lines.size());
            lines.add(place.shown());
            if (transform != null) {
                chain.add(transform);
            }
            ValueKind result = transform == null ? null : TransformReader.result(transform, kinds);
            kinds.clear();
            kinds.add(result);
        }
        if (name != null) {
            places.put(name, lines);
        }
        if (kinds.size() != 1) {
            if (kinds.size() > 1 && section.has("inputs")) {
                problems.add(
                        section.at("inputs"),
                        kinds.size() + " inputs came, expected a transform of " + Grammar.COMBINING);
            }
            return null;
        }
        ValueKind last = kinds.getFirst();
        if (last == ValueKind.TEXT || last == ValueKind.TIME) {
            Place place = section.has("transform") ? section.at("transform") : section.place();
            problems.add(
                    place,
                    last.shown() + " came of it, expected a number: "
                            + (last == ValueKind.TEXT ? "vocab, one_hot or hash" : "cyclical, datetime or elapsed")
                            + " make one");
        }
        return last;
    }

    /// The place by the feature's name, where it has one.
    private static Place named(Place place) {
        if (place.node() instanceof Mapping mapping) {
            for (Entry entry : mapping.entries()) {
                if (entry.name().equals("name") && entry.value() instanceof Scalar scalar) {
                    return place.as(FEATURES + scalar.text());
                }
            }
        }
        return place;
    }

    private Feature.Columns columns(
            Section section, ValueKind kind, int inputs, Treatment treatment, List<Transform> chain) {
        String name = section.text("name", "");
        List<String> names = new ArrayList<>();
        if (kind == ValueKind.VECTOR) {
            vector(name, chain, inputs, names);
        } else {
            names.add(name);
        }
        int width = names.size();
        if (treatment.missing() != null && treatment.missing().indicator() != null) {
            names.add(treatment.missing().indicator());
        }
        for (Transform transform : chain) {
            if (transform instanceof Impute(var _, String indicator) && indicator != null) {
                names.add(indicator);
            }
        }
        boolean emit = section.bool("emit", true);
        if (emit) {
            columnCount += names.size();
            names.stream()
                    .filter(each -> !columns.add(each))
                    .forEach(each -> section.problem(
                            "a second column '" + each + "' came of it, expected that each has a name of its own"));
            if (columnCount > MOST_COLUMNS && !tooMany) {
                tooMany = true;
                section.problem(columnCount + " columns came up to here, expected " + MOST_COLUMNS + " at most");
            }
        }
        return new Feature.Columns(names, width, emit);
    }

    /// The names of a vector's columns. Whatever gives one is the last transform.
    private static void vector(String name, List<Transform> chain, int inputs, List<String> names) {
        switch (chain.getLast()) {
            case OneHot oneHot -> {
                for (int i = oneHot.dropped(); i < oneHot.vocabulary().size(); i++) {
                    names.add(name + "_" + oneHot.vocabulary().name(i));
                }
                if (oneHot.unknown() == OneHot.Unknown.BUCKET) {
                    names.add(name + "_unknown");
                }
            }
            case Transform.Embed embed -> {
                for (int i = 0; i < embed.table().width(); i++) {
                    names.add(name + "_" + i);
                }
            }
            default -> {
                for (int i = 0; i < inputs; i++) {
                    names.add(name + "_" + i);
                }
            }
        }
    }

    private Map<String, String> monitor(Section section) {
        Place place = section.at("monitor");
        Map<String, String> hints = new LinkedHashMap<>();
        if (place == null) {
            return hints;
        }
        if (place.node() instanceof Mapping mapping) {
            for (Entry entry : mapping.entries()) {
                if (entry.value() instanceof Scalar scalar) {
                    hints.put(entry.name(), scalar.text());
                } else {
                    problems.add(
                            place.in(entry.name(), entry.value()),
                            Values.shown(entry.value()) + " came, expected a text");
                }
            }
        } else {
            problems.add(place, Values.shown(place.node()) + " came, expected names with values");
        }
        return hints;
    }
}
