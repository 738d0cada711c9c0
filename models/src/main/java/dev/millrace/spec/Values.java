// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Mapping;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Scalars of the file as what they are meant to be. Threads: stateless.
final class Values {
    private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][-+]?\\d+)?");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,12})(ms|s|m|h|d)");
    private static final Map<String, Duration> UNITS = Map.of(
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
    /// As many as microseconds in a long have room for, and some.
    private static final Duration LONGEST = Duration.ofDays(100_000);

    private static final int MOST_SHOWN = 60;

    private Values() {}

    /// A value for a message.
    static String shown(YamlNode node) {
        return switch (node) {
            case Scalar scalar ->
                "'"
                        + (scalar.text().length() > MOST_SHOWN
                                ? scalar.text().substring(0, MOST_SHOWN) + "..."
                                : scalar.text())
                        + "'";
            case Sequence _ -> "a list";
            case Mapping _ -> "names with values";
        };
    }

    /// A finite number, or null, which is noted.
    static Double number(Place place, Problems problems) {
        if (place.node() instanceof Scalar scalar
                && !scalar.quoted()
                && NUMBER.matcher(scalar.text()).matches()) {
            double number = Double.parseDouble(scalar.text());
            if (Double.isFinite(number)) {
                return number;
            }
        }
        problems.add(place, shown(place.node()) + " came, expected a finite number");
        return null;
    }

    /// A finite number that a float holds, too, or null, which is noted.
    static Double number32(Place place, Problems problems) {
        Double number = number(place, problems);
        if (number != null && Float.isInfinite(number.floatValue())) {
            problems.add(place, shown(place.node()) + " came, expected a number that a float32 holds");
            return null;
        }
        return number;
    }

    /// A whole number, or null, which is noted.
    static Long integer(Place place, long least, long most, Problems problems) {
        if (place.node() instanceof Scalar scalar
                && !scalar.quoted()
                && scalar.text().matches("[-+]?\\d{1,19}")) {
            try {
                long number = Long.parseLong(scalar.text());
                if (number >= least && number <= most) {
                    return number;
                }
            } catch (NumberFormatException _) {
                // told below
            }
        }
        problems.add(place, shown(place.node()) + " came, expected a whole number from " + least + " to " + most);
        return null;
    }

    /// A length of time, or null, which is noted.
    static Duration duration(Place place, Problems problems) {
        if (place.node() instanceof Scalar scalar && scalar.text().matches("(" + DURATION + "){1,5}")) {
            Duration sum = Duration.ZERO;
            Matcher part = DURATION.matcher(scalar.text());
            while (part.find()) {
                sum = sum.plus(UNITS.get(part.group(2)).multipliedBy(Long.parseLong(part.group(1))));
            }
            if (sum.isPositive() && sum.compareTo(LONGEST) <= 0) {
                return sum;
            }
        }
        problems.add(
                place,
                shown(place.node()) + " came, expected a length of time such as 500ms, 30s, 15m, 2h or 7d, at most "
                        + LONGEST.toDays() + "d");
        return null;
    }

    /// A value of a type, or null, which is noted.
    static Literal literal(Place place, ValueType type, Problems problems) {
        if (type == ValueType.BOOL) {
            if (place.node() instanceof Scalar scalar && scalar.text().matches("true|false")) {
                return new Literal.Whole(scalar.text().equals("true") ? 1 : 0);
            }
            problems.add(place, shown(place.node()) + " came, expected true or false");
            return null;
        }
        if (type == ValueType.INT32) {
            Long number = integer(place, Integer.MIN_VALUE, Integer.MAX_VALUE, problems);
            return number == null ? null : new Literal.Whole(number);
        }
        Literal literal = literal(place, type.kind(), problems);
        return type == ValueType.FLOAT32 && literal instanceof Literal.Real(double value)
                ? new Literal.Real((float) value)
                : literal;
    }

    /// A value of a kind, or null, which is noted.
    static Literal literal(Place place, ValueKind kind, Problems problems) {
        switch (kind) {
            case NUMBER -> {
                Double number = number(place, problems);
                return number == null ? null : new Literal.Real(number);
            }
            case INTEGER, TIME -> {
                Long number = integer(place, Long.MIN_VALUE, Long.MAX_VALUE, problems);
                return number == null ? null : new Literal.Whole(number);
            }
            default -> {
                if (kind == ValueKind.TEXT && place.node() instanceof Scalar scalar) {
                    return new Literal.Text(scalar.text());
                }
                problems.add(place, shown(place.node()) + " came, expected " + kind.shown());
                return null;
            }
        }
    }
}
