// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.ValueKind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Shows the values that transforms are given, for those who learn from them: each feature is worked
/// on as far as its probe, and those without one wholly.
///
/// Threads: one.
public final class FeatureProbe {
    /// A feature that is worked on wholly, with its validations.
    public static final int WHOLE = -1;
    /// A feature that is not worked on.
    public static final int NOT = -2;

    private final FeaturePlan plan;
    private final int[] transforms;
    private final long[] bits;
    private final boolean[] missing;

    /// @param transforms for each feature which of its transforms is probed, [#WHOLE], or [#NOT]; one
    ///     that uses another's value needs that to be whole
    public FeatureProbe(FeaturePlan plan, int[] transforms) {
        if (transforms.length != plan.features().length) {
            throw new IllegalArgumentException(
                    transforms.length + " features came, expected " + plan.features().length);
        }
        this.plan = plan;
        this.transforms = transforms.clone();
        bits = new long[transforms.length];
        missing = new boolean[transforms.length];
    }

    /// Works on a row; whether it is not rejected. [FeatureRow#problem()] says why it is.
    ///
    /// @param row one of the plan's, with all fields set
    public boolean run(FeatureRow row) {
        if (!plan.prepare(row)) {
            return false;
        }
        FeatureSteps[] features = plan.features();
        for (int i = 0; i < features.length; i++) {
            boolean accepted = transforms[i] == NOT
                    || (transforms[i] == WHOLE ? Interpreter.run(features[i], row) : probe(features[i], i, row));
            if (!accepted) {
                return false;
            }
        }
        return true;
    }

    private boolean probe(FeatureSteps feature, int index, FeatureRow row) {
        row.enter(feature);
        for (int i = 0; i < feature.starts[transforms[index]]; i++) {
            if (!Interpreter.step(feature.steps[i], row, feature)) {
                return false;
            }
        }
        bits[index] = row.bits;
        missing[index] =
                row.missing || (kind(index) == ValueKind.NUMBER && Double.isNaN(Double.longBitsToDouble(row.bits)));
        return true;
    }

    /// What the values at a feature's probe are.
    public ValueKind kind(int feature) {
        return plan.features()[feature].takes[transforms[feature]];
    }

    /// Whether the last row had no value there: null, or NaN.
    public boolean isMissing(int feature) {
        return missing[feature];
    }

    /// The last row's value there, a number or a whole one.
    public double number(int feature) {
        return kind(feature) == ValueKind.NUMBER ? Double.longBitsToDouble(bits[feature]) : (double) bits[feature];
    }

    /// The last row's value there, a whole number.
    public long whole(int feature) {
        return bits[feature];
    }

    /// The last row's value there, a text.
    public String text(int feature, FeatureRow row) {
        return new String(row.texts(), (int) (bits[feature] >>> 32), (int) bits[feature], StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return "probes at " + Arrays.toString(transforms);
    }
}
