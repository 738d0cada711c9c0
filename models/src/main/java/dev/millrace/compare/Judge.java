// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// Follows what a model decides, and whether it is right. Threads: one.
final class Judge {
    private static final int TENTHS = 10;

    private final Rule rule;
    private final Scores scores = new Scores();
    private final long[] tenthRows = new long[TENTHS];
    private final double[] tenthConfidence = new double[TENTHS];
    private final long[] tenthRight = new long[TENTHS];
    private long rows;
    private long labelled;
    private long right;
    private boolean probabilities = true;
    private boolean twoLabels = true;
    private boolean twoClasses = true;
    private boolean moreClasses;
    private boolean texts;

    Judge(Rule rule) {
        this.rule = rule;
    }

    /// Takes what it decides for a row.
    ///
    /// @param label what is right, NaN where that is not known
    /// @return what is decided, NaN if nothing is: that is not right
    double decide(Tensor output, int row, double label) {
        double decision = rule.decide(output, row);
        double score = rule.score(output, row);
        double confidence = rule.confidence(output, row);
        rows++;
        probabilities &= confidence >= 0 && confidence <= 1;
        // Of two scores both have to be numbers.
        twoClasses &= !Double.isNaN(score) && !Double.isNaN(decision);
        moreClasses |= rule == Rule.HIGHEST_SCORE && output.dim(1) > 2;
        texts |= output.datatype() == DataType.BYTES;
        if (!Double.isNaN(label)) {
            labelled++;
            right += decision == label ? 1 : 0;
            twoLabels &= label == 0 || label == 1;
            if (twoLabels && twoClasses) {
                scores.add(score, label == 1);
            }
            if (probabilities) {
                tenth(confidence, rule == Rule.THRESHOLD ? label == 1 : decision == label);
            }
        }
        return decision;
    }

    private void tenth(double confidence, boolean hit) {
        int tenth = Math.min(TENTHS - 1, (int) (confidence * TENTHS));
        tenthRows[tenth]++;
        tenthConfidence[tenth] += confidence;
        tenthRight[tenth] += hit ? 1 : 0;
    }

    /// Whether the values are decisions: a single number that is no probability is none.
    boolean decides() {
        return rows > 0 && (rule != Rule.THRESHOLD || probabilities);
    }

    /// How good it is, if there were labels.
    Optional<Quality> quality() {
        if (labelled == 0) {
            return Optional.empty();
        }
        Optional<String> obstacle = noAuc();
        boolean comparable = decides() && !texts;
        return Optional.of(new Quality(
                labelled,
                comparable ? OptionalDouble.of((double) right / labelled) : OptionalDouble.empty(),
                obstacle.isPresent() ? OptionalDouble.empty() : OptionalDouble.of(scores.area()),
                obstacle,
                obstacle.isPresent() ? List.of() : scores.curve(),
                probabilities && rule != Rule.LABEL ? reliability() : List.of()));
    }

    private Optional<String> noAuc() {
        if (!twoClasses) {
            return Optional.of(
                    moreClasses
                            ? "there are more than two classes"
                            : rule == Rule.LABEL ? "the output has no scores" : "a score is NaN");
        }
        return twoLabels ? scores.obstacle() : Optional.of("labels are not all 0 or 1");
    }

    private List<Quality.Tenth> reliability() {
        List<Quality.Tenth> tenths = new ArrayList<>();
        for (int i = 0; i < TENTHS; i++) {
            tenths.add(new Quality.Tenth(
                    tenthRows[i], tenthConfidence[i] / tenthRows[i], (double) tenthRight[i] / tenthRows[i]));
        }
        return tenths;
    }
}
