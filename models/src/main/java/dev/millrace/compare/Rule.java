// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.util.Arrays;
import java.util.Optional;

/// How an output decides. Threads: stateless.
public enum Rule {
    /// The class with the highest score, the first of equal ones; undecided where a score is NaN.
    HIGHEST_SCORE("the highest score"),
    /// One probability: yes from 0.5 on.
    THRESHOLD("0.5 or more"),
    /// The value itself: a label.
    LABEL("the label");

    private static final double THRESHOLD_VALUE = 0.5;

    private final String description;

    Rule(String description) {
        this.description = description;
    }

    /// The rule in words.
    public String description() {
        return description;
    }

    /// The rule for an output by what a run gave, if it has a row for each of the data's.
    static Optional<Rule> of(Tensor output, long rows) {
        if (output.rank() < 1 || output.rank() > 2 || output.dim(0) != rows) {
            return Optional.empty();
        }
        long columns = output.rank() == 1 ? 1 : output.dim(1);
        if (columns == 1) {
            return Optional.of(output.datatype().isFloating() ? THRESHOLD : LABEL);
        }
        return columns > 1 && output.datatype().isFloating() ? Optional.of(HIGHEST_SCORE) : Optional.empty();
    }

    /// What is decided for a row: a class, 0 or 1, or what stands for a text; NaN if it is undecided.
    double decide(Tensor output, int row) {
        return switch (this) {
            case HIGHEST_SCORE -> {
                int highest = highest(output, row);
                yield highest < 0 ? Double.NaN : named(output, highest);
            }
            case THRESHOLD -> Values.number(output, row) >= THRESHOLD_VALUE ? 1 : 0;
            case LABEL ->
                output.datatype() == DataType.BYTES
                        ? Arrays.hashCode(output.getBytes(row))
                        : Values.number(output, row);
        };
    }

    /// The score of a row for the second of two classes, or of one; NaN for more of them.
    double score(Tensor output, int row) {
        if (this == THRESHOLD) {
            return Values.number(output, row);
        }
        return this == HIGHEST_SCORE && output.dim(1) == 2 ? Values.number(output, 2L * row + 1) : Double.NaN;
    }

    /// How sure the decision is: its own score; NaN if it is undecided.
    double confidence(Tensor output, int row) {
        return switch (this) {
            case THRESHOLD -> Values.number(output, row);
            case HIGHEST_SCORE -> {
                int highest = highest(output, row);
                yield highest < 0 ? Double.NaN : Values.number(output, row * output.dim(1) + highest);
            }
            case LABEL -> Double.NaN;
        };
    }

    /// The column with the highest score, or -1 if one is NaN.
    private static int highest(Tensor output, int row) {
        int columns = (int) output.dim(1);
        int highest = 0;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < columns; i++) {
            double score = Values.number(output, (long) row * columns + i);
            if (Double.isNaN(score)) {
                return -1;
            }
            if (score > most) {
                most = score;
                highest = i;
            }
        }
        return highest;
    }

    /// The class of a column: its number, where the model does not give another.
    private static double named(Tensor output, int column) {
        return !output.keys().isEmpty() && output.keys().get(column) instanceof Long name ? name : column;
    }
}
