// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;

/// Runs the steps of features on a row.
///
/// Threads: stateless; the row's thread.
final class Interpreter {
    private Interpreter() {}

    /// One feature; whether the row is not rejected.
    @Hot
    static boolean run(FeatureSteps feature, FeatureRow row) {
        row.enter(feature);
        Step[] steps = feature.steps;
        for (int i = 0; i < steps.length; i++) {
            if (!step(steps[i], row, feature)) {
                return false;
            }
        }
        return finish(feature, row);
    }

    /// One step of a feature; whether the row is not rejected.
    @Hot
    static boolean step(Step step, FeatureRow row, FeatureSteps feature) {
        if (step.op == Op.TO_NUMBER) {
            row.bits = Double.doubleToRawLongBits((double) row.bits);
            return true;
        }
        if (step.op <= Op.LAST_NUMBER) {
            if (!row.missing) {
                double x = NumberOps.apply(step, Double.longBitsToDouble(row.bits));
                row.bits = Double.doubleToRawLongBits(x);
            }
            return true;
        }
        return step.op <= Op.LAST_TREATMENT ? TreatmentOps.apply(step, row) : CategoryOps.apply(step, row, feature);
    }

    /// What comes after the steps; whether the row is not rejected.
    @Hot
    static boolean finish(FeatureSteps feature, FeatureRow row) {
        row.leave(feature);
        for (int i = 0; i < feature.checks.length; i++) {
            int failed = failed(feature, i, row);
            if (failed < 0) {
                continue;
            }
            switch (feature.onFail[i]) {
                case FeatureSteps.REJECT:
                    return row.rejectColumn(feature.expectations[i], row.columns[failed], row.anyNull());
                case FeatureSteps.DEFAULT:
                    row.putDefault(feature);
                    row.conclude(feature);
                    return true;
                case FeatureSteps.CLIP:
                    clip(feature, i, row);
                    break;
                default:
                    row.raise(FeatureStatus.INVALID);
            }
        }
        row.conclude(feature);
        return true;
    }

    /// The first column that is not as it has to be, or -1.
    @Hot
    private static int failed(FeatureSteps feature, int check, FeatureRow row) {
        int kind = feature.checks[check];
        if (kind == FeatureSteps.NOT_NULL) {
            return row.anyNull() ? feature.first : -1;
        }
        for (int column = feature.first; column < feature.first + feature.width; column++) {
            double x = row.columns[column];
            boolean right = kind == FeatureSteps.FINITE
                    ? Math.abs((float) x) <= Float.MAX_VALUE
                    : !(x < feature.min[check] || x > feature.max[check]);
            if (!right) {
                return column;
            }
        }
        return -1;
    }

    @Hot
    private static void clip(FeatureSteps feature, int check, FeatureRow row) {
        for (int column = feature.first; column < feature.first + feature.width; column++) {
            row.columns[column] = NumberOps.clip(row.columns[column], feature.min[check], feature.max[check]);
        }
        row.raise(FeatureStatus.CLIPPED);
    }
}
