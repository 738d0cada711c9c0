// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;

/// Operations on categories and times, and those that give several columns. Each returns whether
/// the row is not rejected.
///
/// Threads: stateless; the row's thread.
final class CategoryOps {
    /// What numbers before the first boundary and after the last become.
    static final int BUCKET = 0;

    static final int CLAMP = 1;

    /// What a value becomes that is no category, for indices.
    static final int VALUE = 0;

    static final int NULL = 1;
    static final int REJECT = 2;

    /// The same, for columns.
    static final int IGNORE = 0;

    static final int REJECT_COLUMN = 1;

    private CategoryOps() {}

    @Hot
    static boolean apply(Step step, FeatureRow row, FeatureSteps feature) {
        switch (step.op) {
            case Op.VOCAB_TEXT, Op.VOCAB_INTEGER:
                return vocab(step, row);
            case Op.ONE_HOT_TEXT, Op.ONE_HOT_INTEGER:
                return oneHot(step, row, feature.first);
            case Op.BUCKETIZE:
                bucketize(step, row);
                break;
            case Op.CROSS:
                cross(step, row, feature);
                break;
            case Op.SUBTRACT, Op.DIVIDE, Op.EQUAL, Op.ELAPSED:
                pair(step, row, feature);
                break;
            case Op.EMBED:
                embed(step, row, feature.first);
                break;
            case Op.CONCAT:
                concat(row, feature);
                break;
            default:
                if (!row.missing) {
                    simple(step, row);
                }
        }
        return true;
    }

    /// What is not done where there is no value.
    @Hot
    private static void simple(Step step, FeatureRow row) {
        switch (step.op) {
            case Op.HASH_TEXT:
                row.bits = Math.floorMod(row.hash(step.j), step.i);
                return;
            case Op.HASH_INTEGER:
                row.bits = Math.floorMod(Murmur3.hash(row.bits, step.j), step.i);
                return;
            case Op.DATE_PART:
                row.bits = step.zone.part(step.part, row.bits);
                return;
            case Op.CYCLICAL_PART:
                row.bits = Double.doubleToRawLongBits(step.numbers[(int) row.bits]);
                return;
            case Op.TO_BOOL_INTEGER:
                row.bits = row.bits != 0 ? 1 : 0;
                return;
            case Op.TO_NARROW:
                row.bits = Math.max(step.n, Math.min(step.m, row.bits));
                return;
            default:
                toWhole(step, row);
        }
    }

    @Hot
    private static void toWhole(Step step, FeatureRow row) {
        double x = Double.longBitsToDouble(row.bits);
        if (Double.isNaN(x)) {
            row.becomeMissing();
        } else if (step.op == Op.TO_BOOL_NUMBER) {
            row.bits = x != 0 ? 1 : 0;
        } else {
            row.bits = Math.max(step.n, Math.min(step.m, (long) x));
        }
    }

    @Hot
    private static void bucketize(Step step, FeatureRow row) {
        double x = Double.longBitsToDouble(row.bits);
        if (row.missing || Double.isNaN(x)) {
            if (step.k >= 0) {
                row.bits = step.k;
                row.missing = false;
            } else {
                row.becomeMissing();
            }
            return;
        }
        double[] boundaries = step.numbers;
        int low = 0;
        int high = boundaries.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (step.flag ? boundaries[middle] <= x : boundaries[middle] < x) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (step.j == BUCKET) {
            row.bits = low;
        } else if (step.j != CLAMP && (x < boundaries[0] || x > boundaries[boundaries.length - 1])) {
            row.becomeMissing();
        } else {
            row.bits = Math.max(0, Math.min(boundaries.length - 2, low - 1));
        }
    }

    /// The place of the value among a step's categories, or -1.
    @Hot
    private static int find(Step step, FeatureRow row) {
        return step.texts != null ? row.find(step.texts) : step.integers.find(row.bits);
    }

    @Hot
    private static boolean vocab(Step step, FeatureRow row) {
        if (row.missing) {
            if (step.flag) {
                row.bits = step.m;
                row.missing = false;
            }
            return true;
        }
        int index = find(step, row);
        if (index >= 0) {
            row.bits = index;
            return true;
        }
        switch (step.j) {
            case VALUE:
                row.bits = step.n;
                return true;
            case NULL:
                row.becomeMissing();
                return true;
            case REJECT:
                return row.reject(step.expectation, step.takes);
            default:
                int hash = step.texts != null ? row.hash(0) : Murmur3.hash(row.bits, 0);
                row.bits = (long) step.i + Math.floorMod(hash, step.k);
                return true;
        }
    }

    @Hot
    private static boolean oneHot(Step step, FeatureRow row, int first) {
        int index = row.missing ? -1 : find(step, row);
        for (int column = 0; column < step.i; column++) {
            row.columns[first + column] = 0;
        }
        if (index >= step.k) {
            row.columns[first + index - step.k] = 1;
        } else if (index < 0 && step.j == REJECT_COLUMN) {
            return row.reject(step.expectation, step.takes);
        } else if (index < 0 && step.j != IGNORE) {
            row.columns[first + step.i - 1] = 1;
        }
        row.missing = false;
        return true;
    }

    @Hot
    private static void cross(Step step, FeatureRow row, FeatureSteps feature) {
        int hash = step.j;
        for (int i = 0; i < feature.inputs.length; i++) {
            int slot = feature.inputs[i];
            if (row.nulls[slot]) {
                row.becomeMissing();
                return;
            }
            hash = feature.isText[i] ? row.hash(row.slots[slot], hash) : Murmur3.hash(row.slots[slot], hash);
        }
        row.bits = Math.floorMod(hash, step.i);
        row.missing = false;
    }

    @Hot
    private static void pair(Step step, FeatureRow row, FeatureSteps feature) {
        int first = feature.inputs[0];
        int second = feature.inputs[1];
        row.missing = row.nulls[first] || row.nulls[second];
        if (row.missing) {
            row.becomeMissing();
            return;
        }
        long x = row.slots[first];
        long y = row.slots[second];
        if (step.op == Op.EQUAL) {
            row.bits = (feature.isText[0] ? row.isSame(x, y) : x == y) ? 1 : 0;
            return;
        }
        double result;
        if (step.op == Op.ELAPSED) {
            result = between(x, y) / step.a;
        } else {
            double a = number(x, feature.isWhole[0]);
            double b = number(y, feature.isWhole[1]);
            result = step.op == Op.SUBTRACT ? a - b : a / b;
        }
        row.bits = Double.doubleToRawLongBits(result);
    }

    @Hot
    private static double number(long bits, boolean isWhole) {
        return isWhole ? (double) bits : Double.longBitsToDouble(bits);
    }

    /// Microseconds between two times, also where they are more than 64 bits can tell.
    @Hot
    private static double between(long then, long before) {
        long difference = then - before;
        boolean overflows = ((then ^ before) & (then ^ difference)) < 0;
        return overflows ? (double) then - (double) before : (double) difference;
    }

    @Hot
    private static void embed(Step step, FeatureRow row, int first) {
        boolean found = !row.missing && row.bits >= 0 && row.bits < step.j;
        long from = found ? row.bits : step.k;
        for (int column = 0; column < step.i; column++) {
            row.columns[first + column] = from < 0 ? 0 : step.numbers[(int) from * step.i + column];
        }
        row.missing = false;
    }

    /// Null is NaN for now; what the feature's default is for comes after.
    @Hot
    private static void concat(FeatureRow row, FeatureSteps feature) {
        for (int i = 0; i < feature.inputs.length; i++) {
            int slot = feature.inputs[i];
            row.put(feature, feature.first + i, row.nulls[slot], feature.isWhole[i], row.slots[slot]);
        }
        row.missing = false;
    }
}
