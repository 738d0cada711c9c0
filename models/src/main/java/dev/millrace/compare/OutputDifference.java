// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/// How far an output of a model is from another's. Immutable.
///
/// @param name the output
/// @param elements how many numbers or texts were compared
/// @param unequal how many of them are not the same
/// @param odd how many are NaN or infinite in one alone; they are in nothing below
/// @param max the largest difference; NaN if there is none, as for texts, and so are those that follow
/// @param mean the mean of differences
/// @param p50 what half of the differences do not exceed, at most 0.4 % too high; the others likewise
/// @param p90 what 90 % do not exceed
/// @param p99 what 99 % do not exceed
/// @param p999 what 99.9 % do not exceed
/// @param decades how many differences are from a power of ten up to the next one, by its exponent; zeros are in none
public record OutputDifference(
        String name,
        long elements,
        long unequal,
        long odd,
        double max,
        double mean,
        double p50,
        double p90,
        double p99,
        double p999,
        SortedMap<Integer, Long> decades) {
    private static final int LEAST_EXPONENT = -45;
    private static final int MOST_EXPONENT = 38;

    /// Makes the map immutable.
    public OutputDifference {
        decades = Collections.unmodifiableSortedMap(new TreeMap<>(decades));
    }

    static OutputDifference of(String name, long elements, long unequal, long odd, Magnitudes sizes) {
        SortedMap<Integer, Long> decades = new TreeMap<>();
        for (int exponent = LEAST_EXPONENT; exponent <= MOST_EXPONENT; exponent++) {
            long count = sizes.inDecade(exponent);
            if (count > 0) {
                decades.put(exponent, count);
            }
        }
        return new OutputDifference(
                name,
                elements,
                unequal,
                odd,
                sizes.max(),
                sizes.mean(),
                sizes.percentile(50),
                sizes.percentile(90),
                sizes.percentile(99),
                sizes.percentile(99.9),
                decades);
    }
}
