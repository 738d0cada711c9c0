// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// How well scores separate frauds from honest payments, and how far they can be read as probabilities.
///
/// Equal scores are treated as one step, so no figure depends on the order of rows.
///
/// @param rocAuc        chance that a random fraud scores above a random honest payment, ties count half
/// @param prAuc         average precision: mean precision over the steps of recall, not interpolated
/// @param recallAt01Pct largest recall with a false positive rate of at most 0.1 %
/// @param recallAt1Pct  largest recall with a false positive rate of at most 1 %
/// @param thresholdAt1Pct the score from which a payment is flagged at that point
/// @param brier         mean squared difference between score and label; only for scores that are probabilities
/// @param logLoss       mean cross-entropy in nats; only for scores that are probabilities
/// @param meanScore     mean score, to be compared with the share of frauds
record Evaluation(
        double rocAuc,
        double prAuc,
        double recallAt01Pct,
        double recallAt1Pct,
        double thresholdAt1Pct,
        double brier,
        double logLoss,
        double meanScore) {
    private static final double SMALLEST_PROBABILITY = 1e-12;

    static Evaluation of(double[] scores, boolean[] labels) {
        Integer[] order = IntStream.range(0, scores.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> -scores[i]));
        double positives = 0;
        for (boolean label : labels) {
            positives += label ? 1 : 0;
        }
        double negatives = scores.length - positives;
        Walk walk = new Walk(positives, negatives);
        int at = 0;
        while (at < order.length) {
            double score = scores[order[at]];
            int end = at;
            int found = 0;
            while (end < order.length && scores[order[end]] == score) {
                found += labels[order[end++]] ? 1 : 0;
            }
            walk.step(score, found, end - at - found);
            at = end;
        }
        double brier = 0;
        double logLoss = 0;
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            double miss = scores[i] - (labels[i] ? 1 : 0);
            brier += miss * miss;
            sum += scores[i];
            logLoss -= StrictMath.log(Math.max(SMALLEST_PROBABILITY, labels[i] ? scores[i] : 1 - scores[i]));
        }
        return new Evaluation(
                walk.area / (positives * negatives),
                walk.precisionSum / positives,
                walk.recall01,
                walk.recall1,
                walk.threshold1,
                brier / scores.length,
                logLoss / scores.length,
                sum / scores.length);
    }

    /// Share of the flagged among the rows that match, NaN if none does.
    static double share(double[] scores, boolean[] matches, double threshold) {
        double all = 0;
        double flagged = 0;
        for (int i = 0; i < scores.length; i++) {
            all += matches[i] ? 1 : 0;
            flagged += matches[i] && scores[i] >= threshold ? 1 : 0;
        }
        return flagged / all;
    }

    /// The way down from the highest score, one distinct score at a time.
    private static final class Walk {
        private final double positives;
        private final double negatives;
        private double truePositives;
        private double falsePositives;
        private double area;
        private double precisionSum;
        private double recall01;
        private double recall1;
        private double threshold1 = Double.POSITIVE_INFINITY;

        Walk(double positives, double negatives) {
            this.positives = positives;
            this.negatives = negatives;
        }

        void step(double score, int frauds, int honest) {
            area += honest * (truePositives + frauds / 2.0);
            truePositives += frauds;
            falsePositives += honest;
            precisionSum += frauds * truePositives / (truePositives + falsePositives);
            if (falsePositives <= 0.001 * negatives) {
                recall01 = truePositives / positives;
            }
            if (falsePositives <= 0.01 * negatives) {
                recall1 = truePositives / positives;
                threshold1 = score;
            }
        }
    }
}
