// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

/// From where to where the values of a tensor go.
record Range(float min, float max) {
    /// What is known before any value was seen.
    static final Range EMPTY = new Range(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);

    /// With another value; what is not a number does not count.
    Range with(float low, float high) {
        float smaller = Float.isNaN(low) || low >= min ? min : low;
        float larger = Float.isNaN(high) || high <= max ? max : high;
        return new Range(smaller, larger);
    }

    /// Of an array.
    static Range of(float[] values) {
        return of(values, 0, 1, values.length);
    }

    /// Of some of an array's elements: `count` runs of `run`, each `stride` after the one before.
    static Range of(float[] values, int first, int stride, int count, int run) {
        float min = Float.POSITIVE_INFINITY;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            int start = first + i * stride;
            for (int j = start; j < start + run; j++) {
                min = Math.min(min, values[j]);
                max = Math.max(max, values[j]);
            }
        }
        return count == 0 || run == 0 ? new Range(0, 0) : new Range(min, max);
    }

    private static Range of(float[] values, int first, int stride, int count) {
        return of(values, first, stride, count, 1);
    }

    /// Whether any value was seen, and all can be counted with.
    boolean isFinite() {
        return Float.isFinite(min) && Float.isFinite(max);
    }
}
