// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// Limits that a model has to keep to be worth it. Immutable.
///
/// As text they are `max-accuracy-drop=0.005,min-speedup=1.5`. What cannot be told, since there are no labels, say, is
/// not kept.
public final class Gate {
    /// What can be limited.
    public enum Limit {
        /// By how much the accuracy may be lower, 0.01 being a point of a hundred.
        MAX_ACCURACY_DROP,
        /// By how much the area under the ROC curve may be lower.
        MAX_AUC_DROP,
        /// How many times as fast it has to be, in each batch size that was timed.
        MIN_SPEEDUP,
        /// Which share of decisions may be other ones, 0.01 being one of a hundred.
        MAX_FLIPS,
        /// How far a number may be from the other model's.
        MAX_DIFFERENCE,
        /// Which share of the other's bytes it may have.
        MAX_SIZE;

        /// The limit's name as it is written.
        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// Whether a limit is kept.
    ///
    /// @param limit which one
    /// @param wanted its value
    /// @param came what was found; NaN if that cannot be told
    /// @param problem why it is not kept, if it is not
    public record Verdict(Limit limit, double wanted, double came, Optional<String> problem) {}

    private final Map<Limit, Double> limits;

    private Gate(Map<Limit, Double> limits) {
        this.limits = Collections.unmodifiableMap(limits);
    }

    /// Reads limits.
    ///
    /// @throws IllegalArgumentException if one is none, is there twice, or is no number
    public static Gate parse(String text) {
        Map<Limit, Double> limits = new LinkedHashMap<>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String name = (equals < 0 ? part : part.substring(0, equals)).strip();
            Limit limit = Arrays.stream(Limit.values())
                    .filter(value -> value.text().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("'" + name + "' came, expected one of "
                            + Arrays.stream(Limit.values()).map(Limit::text).toList()));
            String value = equals < 0 ? "" : part.substring(equals + 1).strip();
            if (!value.matches("[0-9]{1,12}(\\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?")) {
                throw new IllegalArgumentException(
                        name + " is '" + value + "', expected a number, as in " + name + "=0.5");
            }
            if (limits.put(limit, Double.valueOf(value)) != null) {
                throw new IllegalArgumentException(name + " came twice");
            }
        }
        return new Gate(limits);
    }

    /// Judges a comparison, in the order in which the limits were written.
    public List<Verdict> judge(ComparisonReport report) {
        List<Verdict> verdicts = new ArrayList<>();
        limits.forEach((limit, wanted) -> verdicts.add(judge(limit, wanted, report)));
        return verdicts;
    }

    private static Verdict judge(Limit limit, double wanted, ComparisonReport report) {
        return switch (limit) {
            case MAX_ACCURACY_DROP ->
                drop(limit, wanted, accuracy(report.before()), accuracy(Optional.of(report.after())));
            case MAX_AUC_DROP -> drop(limit, wanted, auc(report.before()), auc(Optional.of(report.after())));
            case MIN_SPEEDUP -> speedup(wanted, report);
            case MAX_FLIPS ->
                report.decisions().isEmpty()
                        ? unknown(limit, wanted, "no output decides")
                        : atMost(limit, wanted, report.decisions().get().share());
            case MAX_DIFFERENCE -> difference(wanted, report);
            case MAX_SIZE ->
                report.before().isEmpty()
                        ? unknown(limit, wanted, "there is no other model")
                        : atMost(
                                limit,
                                wanted,
                                (double) report.after().bytes()
                                        / report.before().get().bytes());
        };
    }

    private static OptionalDouble accuracy(Optional<ComparisonReport.Side> side) {
        Optional<Quality> quality = side.flatMap(ComparisonReport.Side::quality);
        return quality.isEmpty() ? OptionalDouble.empty() : quality.get().accuracy();
    }

    private static OptionalDouble auc(Optional<ComparisonReport.Side> side) {
        Optional<Quality> quality = side.flatMap(ComparisonReport.Side::quality);
        return quality.isEmpty() ? OptionalDouble.empty() : quality.get().auc();
    }

    private static Verdict drop(Limit limit, double wanted, OptionalDouble before, OptionalDouble after) {
        return before.isEmpty() || after.isEmpty()
                ? unknown(limit, wanted, "it is not known of both models, for which labels are needed")
                : atMost(limit, wanted, rounded(before.getAsDouble() - after.getAsDouble()));
    }

    /// A difference of shares without what subtraction adds to it: 0.981 - 0.976 is 0.005.
    private static double rounded(double difference) {
        return Math.rint(difference * 1e12) / 1e12;
    }

    private static Verdict speedup(double wanted, ComparisonReport report) {
        OptionalDouble least = report.speeds().stream()
                .flatMapToDouble(speed -> speed.speedup().stream())
                .min();
        if (least.isEmpty()) {
            return unknown(Limit.MIN_SPEEDUP, wanted, "nothing was timed");
        }
        double came = least.getAsDouble();
        return new Verdict(
                Limit.MIN_SPEEDUP, wanted, came, came >= wanted ? Optional.empty() : Optional.of("it is lower"));
    }

    private static Verdict difference(double wanted, ComparisonReport report) {
        if (report.before().isEmpty()) {
            return unknown(Limit.MAX_DIFFERENCE, wanted, "there is no other model");
        }
        if (report.differences().stream().anyMatch(output -> output.odd() > 0)) {
            return new Verdict(
                    Limit.MAX_DIFFERENCE,
                    wanted,
                    Double.POSITIVE_INFINITY,
                    Optional.of("values are NaN or infinite in one of the models alone"));
        }
        OptionalDouble most = report.differences().stream()
                .mapToDouble(OutputDifference::max)
                .filter(size -> !Double.isNaN(size))
                .max();
        return most.isEmpty()
                ? unknown(Limit.MAX_DIFFERENCE, wanted, "no output has numbers in both models")
                : atMost(Limit.MAX_DIFFERENCE, wanted, most.getAsDouble());
    }

    private static Verdict atMost(Limit limit, double wanted, double came) {
        return new Verdict(limit, wanted, came, came <= wanted ? Optional.empty() : Optional.of("it is higher"));
    }

    private static Verdict unknown(Limit limit, double wanted, String why) {
        return new Verdict(limit, wanted, Double.NaN, Optional.of(why));
    }
}
