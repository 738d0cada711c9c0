// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import dev.millrace.features.FeatureProbe;
import dev.millrace.features.FeatureRow;
import dev.millrace.spec.FeatureTemplate.Gap;
import dev.millrace.spec.FitOptions.Strategy;
import dev.millrace.spec.ValueKind;

/// Learns what one gap is from the values that its transform is given.
///
/// Threads: one.
abstract class Learner {
    final Gap gap;
    private final int feature;
    private long count;

    Learner(Gap gap, int feature) {
        this.gap = gap;
        this.feature = feature;
    }

    /// The one for a gap.
    ///
    /// @param feature the place of the gap's feature
    /// @param kind what the values are
    static Learner of(Gap gap, int feature, ValueKind kind) {
        boolean mode = gap.options().strategy() == Strategy.MODE;
        return switch (gap.operator()) {
            case "vocab", "one_hot" -> new CategoryLearner(gap, feature, kind);
            case "impute" ->
                mode || kind == ValueKind.TEXT
                        ? new CategoryLearner(gap, feature, kind)
                        : new NumberLearner(gap, feature, kind);
            default -> new NumberLearner(gap, feature, kind);
        };
    }

    /// Takes the value of a row, if it has one.
    ///
    /// @throws IllegalArgumentException if nothing can be learned from it
    final void add(FeatureProbe probe, FeatureRow row) {
        if (!probe.isMissing(feature)) {
            count++;
            try {
                take(probe, feature, row);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(gap.place() + ": " + e.getMessage(), e);
            }
        }
    }

    abstract void take(FeatureProbe probe, int place, FeatureRow row);

    /// How many values there were.
    final long count() {
        return count;
    }

    /// What was learned, in JSON.
    ///
    /// @throws IllegalArgumentException if that is not possible of what came
    final String json() {
        if (count == 0) {
            throw new IllegalArgumentException(gap.place() + ": no value came, expected one at least to learn from");
        }
        try {
            return learned();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(gap.place() + ": " + e.getMessage(), e);
        }
    }

    abstract String learned();

    /// Whether what was learned is exact, and not estimated.
    boolean isExact() {
        return true;
    }

    /// A finite number; -0 is 0.
    static double finite(double x) {
        if (Double.isInfinite(x)) {
            throw new IllegalArgumentException(
                    x + " came, expected finite numbers; 'treat' or 'clip' can see to those that are not");
        }
        return x + 0.0;
    }
}
