// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.spec.Treatment.Invalid;
import dev.millrace.spec.Treatment.Missing;
import dev.millrace.spec.Treatment.Outlier;
import dev.millrace.spec.Validation.Check;
import dev.millrace.spec.Validation.OnFail;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Reads what is done with raw values before they are transformed, and what is asked of columns
/// after it.
///
/// Threads: one.
final class TreatmentReader {
    private final Problems problems;

    TreatmentReader(Problems problems) {
        this.problems = problems;
    }

    /// @param kind what the raw value is; null if that is not known
    Treatment read(Section treat, ValueKind kind) {
        Section outlier = treat.section("outlier", "outlier");
        Section missing = treat.section("missing", "missing");
        Section invalid = treat.section("invalid", "invalid");
        return new Treatment(
                outlier == null ? null : outlier(outlier, kind),
                missing == null ? null : missing(missing, kind),
                invalid == null ? null : invalid(invalid, kind));
    }

    private Outlier outlier(Section section, ValueKind kind) {
        if (kind != null && !kind.isNumeric()) {
            section.problem("came for " + kind.shown() + ", expected it for a number only");
        }
        double low = section.number("low", 0);
        double high = section.number("high", 0);
        if (low > high) {
            problems.add(section.at("high"), high + " came, expected at least " + low + ", which is low");
        }
        if (kind == ValueKind.INTEGER && (low != Math.rint(low) || high != Math.rint(high))) {
            section.problem("bounds came that are no whole numbers, expected such for a whole number");
        }
        return new Outlier(low, high, section.choice("treatment", Outlier.As.AS_IS));
    }

    private Missing missing(Section section, ValueKind kind) {
        String treatment = section.word("treatment", "as_is");
        boolean replaced = treatment.startsWith("as_") && !treatment.equals("as_is");
        Literal value = value(section, kind, replaced);
        return new Missing(value, treatment.equals("reject"), section.name("indicator"));
    }

    private Literal value(Section section, ValueKind kind, boolean wanted) {
        if (!wanted) {
            if (section.has("value")) {
                problems.add(section.at("value"), "came, expected none: the treatment uses no value");
            }
            return null;
        }
        Place place = section.need("value");
        return place == null || kind == null ? null : Values.literal(place, kind, problems);
    }

    private Invalid invalid(Section section, ValueKind kind) {
        Invalid.As treatment = section.choice("treatment", Invalid.As.AS_IS);
        Literal value = value(section, kind, treatment == Invalid.As.AS_VALUE);
        for (String key : List.of("min", "max")) {
            if (section.has(key) && kind != null && !kind.isNumeric()) {
                problems.add(section.at(key), "came for " + kind.shown() + ", expected it for a number only");
            }
        }
        double min = section.number("min", Double.NEGATIVE_INFINITY);
        double max = section.number("max", Double.POSITIVE_INFINITY);
        if (min > max) {
            problems.add(section.at("max"), max + " came, expected at least " + min + ", which is min");
        }
        List<Literal> values = null;
        if (section.has("values")) {
            values = new ArrayList<>();
            if (kind != null && !kind.isDiscrete()) {
                problems.add(
                        section.at("values"),
                        "came for " + kind.shown() + ", expected it for a text or a whole number only");
            } else if (kind != null) {
                for (Place place : section.items("values")) {
                    values.add(Values.literal(place, kind, problems));
                }
                values.removeIf(each -> each == null);
            }
        }
        return new Invalid(treatment, min, max, values, value);
    }

    /// The validations of a feature.
    ///
    /// @param fallback the feature's default, or null
    List<Validation> validations(Section feature, Double fallback) {
        List<Validation> validations = new ArrayList<>();
        for (Place place : feature.items("validate")) {
            Validation validation = validation(new Section("validation", place, problems));
            if (validation != null) {
                validations.add(validation);
                if (validation.check() == Check.BETWEEN
                        && fallback != null
                        && (fallback < validation.min() || fallback > validation.max())) {
                    problems.add(
                            place,
                            "default " + fallback + " came, expected it from " + validation.min() + " to "
                                    + validation.max());
                }
                if (validation.onFail() == OnFail.DEFAULT && fallback == null && !feature.has("default")) {
                    problems.add(place, "on_fail 'default' came, expected that the feature has a default");
                }
            }
        }
        return validations;
    }

    private Validation validation(Section section) {
        OnFail onFail = section.choice("on_fail", OnFail.REJECT);
        double mostly = section.number("mostly", 1);
        if (!(mostly > 0 && mostly <= 1)) {
            problems.add(section.at("mostly"), mostly + " came, expected a share above 0 and up to 1");
        }
        int count = 0;
        Check check = null;
        for (Check each : Check.values()) {
            if (section.has(each.name().toLowerCase(Locale.ROOT))) {
                count++;
                check = each;
            }
        }
        if (count != 1) {
            section.problem(count + " checks came, expected one of finite, not_null and between");
            return null;
        }
        if (check != Check.BETWEEN) {
            String key = check == Check.FINITE ? "finite" : "not_null";
            if (!section.bool(key, true)) {
                problems.add(section.at(key), "'false' came, expected true: leave it out otherwise");
            }
            if (onFail == OnFail.CLIP) {
                problems.add(section.at("on_fail"), "'clip' came, expected it with between only");
            }
            return new Validation(check, 0, 0, onFail, mostly);
        }
        Section between = section.section("between", "between");
        double min = bound(between, "min");
        double max = bound(between, "max");
        if (min > max) {
            problems.add(between.at("max"), max + " came, expected at least " + min + ", which is min");
        }
        return new Validation(check, min, max, onFail, mostly);
    }

    private double bound(Section between, String key) {
        Place place = between.at(key);
        Double number = place == null ? null : Values.number32(place, problems);
        return number == null ? 0 : number;
    }
}
