// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Entry;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/// Reads transforms, and says what each takes and gives.
///
/// Threads: one.
final class TransformReader {
    private static final int MOST_BUCKETS = 1 << 30;

    private final Problems problems;
    private final StateFiles files;
    private final CategoryReader categories;

    TransformReader(Problems problems, StateFiles files) {
        this.problems = problems;
        this.files = files;
        this.categories = new CategoryReader(problems, files);
    }

    /// The transform at a place, or null if it cannot be read.
    ///
    /// @param kinds what it is given; null among them where that is not known
    /// @param feature the feature's name, which files of state know it by
    /// @param index which of the feature's transforms it is
    Transform read(Place place, List<ValueKind> kinds, String feature, int index) {
        int before = problems.count();
        String name = null;
        YamlNode parameters = null;
        if (place.node() instanceof Scalar scalar) {
            name = scalar.text();
            parameters = new Mapping(List.of(), scalar.line(), scalar.column());
        } else if (place.node() instanceof Mapping mapping && mapping.entries().size() == 1) {
            name = mapping.entries().getFirst().name();
            parameters = mapping.entries().getFirst().value();
        }
        if (name == null || !Grammar.TRANSFORMS.contains(name)) {
            problems.add(
                    place,
                    (name == null ? Values.shown(place.node()) : "'" + name + "'") + " came, expected one of "
                            + Grammar.TRANSFORMS + " with its parameters");
            return null;
        }
        Section section = new Section(name, place.in(name, parameters), problems);
        if (Grammar.SHAPES.get(name).keys().contains("state")) {
            addState(section, name, feature, index);
        }
        checkInputs(section, name, kinds);
        ValueKind kind = kinds.getFirst();
        Transform transform = switch (name) {
            case "standardize", "minmax", "robust", "power" -> scaling(section, name);
            case "clip" -> clip(section);
            case "log1p" -> new Transform.Log1p();
            case "sqrt" -> new Transform.Sqrt();
            case "impute" -> impute(section, kind);
            case "bucketize" -> bucketize(section, feature, index);
            case "vocab" -> categories.vocab(section, kind, feature, index);
            case "one_hot" -> categories.oneHot(section, kind, feature, index);
            case "embed" -> categories.embed(section);
            case "hash" -> new Transform.Hash(buckets(section), seed(section));
            case "cross" -> new Transform.Cross(buckets(section), seed(section));
            case "cyclical" -> cyclical(section, kind);
            case "datetime" -> new Transform.DateTime(part(section), zone(section));
            case "concat" -> new Transform.Concat();
            case "subtract" -> new Transform.Subtract();
            case "divide" -> new Transform.Divide();
            case "equal" -> new Transform.Equal();
            case "elapsed" -> new Transform.Elapsed(section.choice("unit", Transform.Elapsed.Unit.SECONDS));
            default -> new Transform.Cast(type(section));
        };
        return problems.count() == before ? transform : null;
    }

    /// What a transform gives for what it takes; null if that is not known.
    static ValueKind result(Transform transform, List<ValueKind> kinds) {
        return switch (transform) {
            case Transform.Impute _ -> kinds.getFirst();
            case Transform.Bucketize _,
                    Transform.Vocab _,
                    Transform.Hash _,
                    Transform.Cross _,
                    Transform.Equal _,
                    Transform.DateTime _ -> ValueKind.INTEGER;
            case Transform.OneHot _, Transform.Embed _, Transform.Concat _ -> ValueKind.VECTOR;
            case Transform.Cast(ValueType to) -> to.kind();
            default -> ValueKind.NUMBER;
        };
    }

    private void checkInputs(Section section, String name, List<ValueKind> kinds) {
        boolean several = Grammar.COMBINING.contains(name);
        if (kinds.size() == 1 && kinds.getFirst() == null) {
            return;
        }
        if (several != kinds.size() > 1) {
            section.problem(kinds.size() + " values came, expected "
                    + (several
                            ? "several inputs, before any other transform"
                            : "one: " + Grammar.COMBINING + " make one of several"));
            return;
        }
        boolean pair = several && !name.equals("concat") && !name.equals("cross");
        if (pair && kinds.size() != 2) {
            section.problem(kinds.size() + " values came, expected two");
            return;
        }
        for (ValueKind kind : kinds) {
            if (kind != null && !takes(name, section, kind)) {
                section.problem(kind.shown() + " came, expected " + expected(name, section));
            }
        }
        if (name.equals("equal") && !kinds.contains(null) && kinds.getFirst() != kinds.getLast()) {
            section.problem(kinds.getFirst().shown() + " and " + kinds.getLast().shown()
                    + " came, expected two texts or two whole numbers");
        }
    }

    private static boolean takes(String name, Section section, ValueKind kind) {
        return switch (name) {
            case "impute" -> kind != ValueKind.TIME && kind != ValueKind.VECTOR;
            case "vocab", "one_hot", "hash", "cross", "equal" -> kind.isDiscrete();
            case "embed" -> kind == ValueKind.INTEGER;
            case "datetime", "elapsed" -> kind == ValueKind.TIME;
            case "cyclical" -> section.has("part") ? kind == ValueKind.TIME : kind.isNumeric();
            default -> kind.isNumeric();
        };
    }

    private static String expected(String name, Section section) {
        return switch (name) {
            case "impute" -> "a number or a text";
            case "vocab", "one_hot", "hash", "cross", "equal" -> "a text or a whole number";
            case "embed" -> ValueKind.INTEGER.shown();
            case "datetime", "elapsed" -> ValueKind.TIME.shown();
            case "cyclical" -> section.has("part") ? ValueKind.TIME.shown() : "a number, or a part of a time";
            default -> ValueKind.NUMBER.shown();
        };
    }

    /// Adds the parameters that a file has for the feature.
    private void addState(Section section, String operator, String feature, int index) {
        String key = section.text("state_key", feature);
        Place place = section.at("state");
        if (place == null) {
            if (section.has("state_key")) {
                problems.add(section.at("state_key"), "came without a state, expected one");
            }
            return;
        }
        if (!StateFiles.isReference(place.node())) {
            problems.add(place, Values.shown(place.node()) + " came, expected file:NAME@sha256:HEX");
            return;
        }
        if (files.isGap(place)) {
            FitReader fit = new FitReader(section, operator, feature, index);
            Place filled = files.gap(place, fit.gap(place, key), fit.placeholder());
            section.add(filled, (Mapping) filled.node());
            return;
        }
        Place json = files.json(place);
        if (json == null || key == null) {
            return;
        }
        if (json.node() instanceof Mapping all) {
            for (Entry entry : all.entries()) {
                if (entry.name().equals(key) && entry.value() instanceof Mapping parameters) {
                    section.add(json.in(key, parameters), parameters);
                    return;
                }
            }
        }
        problems.add(place, "a file came that says nothing of '" + key + "', expected an object by that name in it");
    }

    private Transform scaling(Section section, String name) {
        return switch (name) {
            case "standardize" -> {
                section.integer("ddof", 0, 0, 1);
                yield new Transform.Standardize(section.number("mean"), spread(section, "std"));
            }
            case "robust" -> new Transform.Robust(section.number("median"), spread(section, "iqr"));
            case "power" ->
                new Transform.Power(
                        section.choice("method", Transform.Power.Method.YEO_JOHNSON), section.number("lambda"));
            default -> {
                double min = section.number("min");
                double max = section.number("max");
                double low = section.number("low", 0);
                double high = section.number("high", 1);
                atLeast(section, "max", max, min);
                if (low >= high) {
                    section.problem("low " + low + " and high " + high + " came, expected low below high");
                }
                yield new Transform.MinMax(min, max, low, high, section.bool("clip", false));
            }
        };
    }

    private double spread(Section section, String key) {
        double spread = section.number(key);
        atLeast(section, key, spread, 0);
        return spread;
    }

    private void atLeast(Section section, String key, double number, double least) {
        if (number < least) {
            problems.add(section.at(key), number + " came, expected " + least + " at least");
        }
    }

    private Transform clip(Section section) {
        double low = section.number("low", 0);
        double high = section.number("high", 0);
        atLeast(section, "high", high, low);
        return new Transform.Clip(low, high);
    }

    private Transform impute(Section section, ValueKind kind) {
        Place value = section.need("value");
        Literal literal = value == null || kind == null || !takes("impute", section, kind)
                ? null
                : Values.literal(value, kind, problems);
        FitReader.options(section);
        return new Transform.Impute(literal, section.name("indicator"));
    }

    private Transform bucketize(Section section, String feature, int index) {
        List<Double> boundaries = new ArrayList<>();
        Place place = section.need("boundaries");
        FitReader fit = new FitReader(section, "bucketize", feature, index);
        Place list = place == null ? null : fit.list(files, place);
        FitReader.options(section);
        if (list != null && !(list.node() instanceof Sequence)) {
            problems.add(list, Values.shown(list.node()) + " came, expected a list of numbers");
        } else if (list != null) {
            List<YamlNode> items = ((Sequence) list.node()).items();
            for (int i = 0; i < items.size(); i++) {
                Place item = list.item(i, items.get(i));
                Double number = Values.number(item, problems);
                if (number != null && !boundaries.isEmpty() && number <= boundaries.getLast()) {
                    problems.add(
                            item,
                            Values.shown(item.node()) + " came after " + boundaries.getLast()
                                    + ", expected boundaries that ascend");
                }
                if (number != null) {
                    boundaries.add(number);
                }
            }
        }
        Transform.Bucketize.OutOfRange outOfRange =
                section.choice("out_of_range", Transform.Bucketize.OutOfRange.BUCKET);
        int least = outOfRange == Transform.Bucketize.OutOfRange.BUCKET ? 1 : 2;
        if (list != null && boundaries.size() < least) {
            problems.add(list, boundaries.size() + " boundaries came, expected " + least + " at least");
        }
        boolean closedLeft = "left".equals(section.word("closed", "left"));
        return new Transform.Bucketize(
                boundaries, closedLeft, outOfRange, "bucket".equals(section.word("nan", "null")));
    }

    private int buckets(Section section) {
        section.word("algorithm", null);
        return (int) section.integer("buckets", 1, 1, MOST_BUCKETS);
    }

    private static int seed(Section section) {
        return (int) section.integer("seed", 0, Integer.MIN_VALUE, 0xFFFF_FFFFL);
    }

    private Transform cyclical(Section section, ValueKind kind) {
        boolean sine = "sin".equals(section.word("fn", "sin"));
        if (!section.has("part")) {
            if (kind != ValueKind.TIME) {
                section.need("period");
            }
            if (section.has("zone")) {
                problems.add(section.at("zone"), "came without a part, expected one");
            }
            return new Transform.Cyclical(null, ZoneOffset.UTC, period(section, 1), sine);
        }
        DatePart part = part(section);
        if (part.period() == 0 && !section.has("period")) {
            problems.add(
                    section.at("part"), "'" + part.word() + "' came, which has no fixed period, expected a period");
        }
        return new Transform.Cyclical(part, zone(section), period(section, part.period()), sine);
    }

    private double period(Section section, double fallback) {
        double period = section.number("period", fallback);
        if (section.has("period") && period <= 0) {
            problems.add(section.at("period"), period + " came, expected a number above 0");
        }
        return period;
    }

    private static DatePart part(Section section) {
        String word = section.word("part", DatePart.HOUR.word());
        for (DatePart part : DatePart.values()) {
            if (part.word().equals(word)) {
                return part;
            }
        }
        throw new IllegalStateException(word);
    }

    private ZoneId zone(Section section) {
        String zone = section.need("zone") == null ? "UTC" : section.text("zone", "UTC");
        try {
            return ZoneId.of(zone);
        } catch (DateTimeException _) {
            problems.add(section.at("zone"), "'" + zone + "' came, expected a time zone such as UTC or Europe/Paris");
            return ZoneOffset.UTC;
        }
    }

    private static ValueType type(Section section) {
        String word = section.word("to", ValueType.FLOAT64.word());
        for (ValueType type : ValueType.values()) {
            if (type.word().equals(word)) {
                return type;
            }
        }
        throw new IllegalStateException(word);
    }
}
