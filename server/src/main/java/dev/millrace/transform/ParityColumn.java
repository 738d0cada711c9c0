// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.fit.Quantiles;
import java.util.ArrayList;
import java.util.List;

/// How one column compares: its base, as training has it, and its test, as it was served.
///
/// Threads: one. Memory: up to 8 MiB for what differs.
final class ParityColumn {
    /// Which parts of the differences are told.
    private static final double[] PARTS = {0.5, 0.9, 0.99, 1};

    private final String name;
    private final double tolerance;
    private final int mostExamples;
    private final List<Example> examples = new ArrayList<>();
    private final Quantiles deltas = new Quantiles();
    private long matches;
    private long mismatches;
    private long baseOnly;
    private long testOnly;

    /// A value that differs.
    ///
    /// @param place which row
    /// @param base NaN if there is none
    /// @param test NaN if there is none
    record Example(String place, float base, float test) {}

    /// @param tolerance how far values may be apart; with 0 their bits are the same
    /// @param mostExamples how many examples are kept
    ParityColumn(String name, double tolerance, int mostExamples) {
        this.name = name;
        this.tolerance = tolerance;
        this.mostExamples = mostExamples;
    }

    /// Compares two values; NaN is none.
    ///
    /// @return whether they are the same, or near enough
    boolean add(float base, float test) {
        boolean hasBase = !Float.isNaN(base);
        boolean hasTest = !Float.isNaN(test);
        if (hasBase && hasTest) {
            return compare(base, test);
        }
        baseOnly += hasBase ? 1 : 0;
        testOnly += hasTest ? 1 : 0;
        matches += hasBase || hasTest ? 0 : 1;
        return !hasBase && !hasTest;
    }

    private boolean compare(float base, float test) {
        double delta = Math.abs((double) base - test);
        boolean same = Float.floatToRawIntBits(base) == Float.floatToRawIntBits(test);
        if (same || (tolerance > 0 && delta <= tolerance)) {
            matches++;
            return true;
        }
        mismatches++;
        deltas.add(delta);
        return false;
    }

    /// Keeps an example, if there are not enough of them.
    void example(String place, float base, float test) {
        if (examples.size() < mostExamples) {
            examples.add(new Example(place, base, test));
        }
    }

    String name() {
        return name;
    }

    /// Rows where both are the same or near enough, or there is neither.
    long matches() {
        return matches;
    }

    /// Rows where both are there, and too far apart.
    long mismatches() {
        return mismatches;
    }

    /// Rows where there is only the base.
    long baseOnly() {
        return baseOnly;
    }

    /// Rows where there is only the test.
    long testOnly() {
        return testOnly;
    }

    /// Whether it is the same in all rows.
    boolean isEqual() {
        return mismatches == 0 && baseOnly == 0 && testOnly == 0;
    }

    /// How far those that mismatch are apart: the median, 90 %, 99 %, the most; nothing if none does.
    double[] deltas() {
        return mismatches == 0 ? new double[0] : deltas.at(PARTS);
    }

    List<Example> examples() {
        return examples;
    }
}
