// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.ValueKind;

/// What is done with raw values before they are transformed. Each returns whether the row is not
/// rejected.
///
/// Threads: stateless; the row's thread.
final class TreatmentOps {
    /// What to do with invalid values, as [dev.millrace.spec.Treatment.Invalid.As] has it.
    static final int REJECT = 0;

    static final int AS_IS = 1;
    static final int AS_MISSING = 2;
    static final int AS_VALUE = 3;

    private TreatmentOps() {}

    @Hot
    static boolean apply(Step step, FeatureRow row) {
        switch (step.op) {
            case Op.OUTLIER_NUMBER:
                outlierNumber(step, row);
                return true;
            case Op.OUTLIER_INTEGER:
                outlierInteger(step, row);
                return true;
            case Op.MISSING:
                return missing(step, row);
            default:
                return row.missing || isNaN(step, row) || !isInvalid(step, row) || invalid(step, row);
        }
    }

    @Hot
    private static void outlierNumber(Step step, FeatureRow row) {
        double x = Double.longBitsToDouble(row.bits);
        if (row.missing || !(x < step.a || x > step.b)) {
            return;
        }
        if (step.flag) {
            row.becomeMissing();
        } else {
            row.bits = Double.doubleToRawLongBits(x < step.a ? step.a : step.b);
            row.raise(FeatureStatus.CLIPPED);
        }
    }

    @Hot
    private static void outlierInteger(Step step, FeatureRow row) {
        long x = row.bits;
        if (row.missing || !(x < step.a || x > step.b)) {
            return;
        }
        if (step.flag) {
            row.becomeMissing();
        } else {
            row.bits = x < step.a ? step.n : step.m;
            row.raise(FeatureStatus.CLIPPED);
        }
    }

    @Hot
    private static boolean isNaN(Step step, FeatureRow row) {
        return step.kind == ValueKind.NUMBER && Double.isNaN(Double.longBitsToDouble(row.bits));
    }

    @Hot
    static boolean missing(Step step, FeatureRow row) {
        boolean isMissing = row.missing || isNaN(step, row);
        if (step.i >= 0) {
            row.indicate(step.i, isMissing);
        }
        if (!isMissing) {
            return true;
        }
        row.raise(FeatureStatus.NULL_VALUE);
        if (step.flag) {
            return row.reject(step.expectation, step.kind);
        }
        if (step.replace) {
            row.bits = step.n;
            row.missing = false;
        }
        return true;
    }

    @Hot
    private static boolean isInvalid(Step step, FeatureRow row) {
        if (step.op == Op.INVALID_NUMBER) {
            double x = Double.longBitsToDouble(row.bits);
            return Double.isInfinite(x) || x < step.a || x > step.b;
        }
        if (step.op == Op.INVALID_TEXT) {
            return step.texts != null && row.find(step.texts) < 0;
        }
        return row.bits < step.a || row.bits > step.b || (step.integers != null && step.integers.find(row.bits) < 0);
    }

    @Hot
    private static boolean invalid(Step step, FeatureRow row) {
        switch (step.j) {
            case REJECT:
                return row.reject(step.expectation, step.kind);
            case AS_IS:
                row.raise(FeatureStatus.INVALID);
                return true;
            case AS_MISSING:
                row.becomeMissing();
                return step.missing == null || missing(step.missing, row);
            default:
                row.bits = step.n;
                row.raise(FeatureStatus.DEFAULTED);
                return true;
        }
    }
}
