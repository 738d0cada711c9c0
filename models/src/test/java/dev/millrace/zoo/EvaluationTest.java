// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class EvaluationTest {

    /// The example of scikit-learn's documentation for roc_auc_score and average_precision_score: 0.75 and 0.83…
    @Test
    void shouldGiveTheTextbookFigures() {
        Evaluation e = Evaluation.of(new double[] {0.1, 0.4, 0.35, 0.8}, new boolean[] {false, false, true, true});

        assertThat(e.rocAuc()).isEqualTo(0.75);
        assertThat(e.prAuc()).isCloseTo(5 / 6.0, within(1e-12));
        assertThat(e.recallAt1Pct()).isEqualTo(0.5);
        assertThat(e.thresholdAt1Pct()).isEqualTo(0.8);
        assertThat(e.brier()).isCloseTo((0.01 + 0.16 + 0.4225 + 0.04) / 4, within(1e-12));
        assertThat(e.meanScore()).isCloseTo(1.65 / 4, within(1e-12));
    }

    @Test
    void shouldCallAConstantScoreWorthless() {
        Evaluation e = Evaluation.of(new double[] {0.3, 0.3, 0.3, 0.3}, new boolean[] {true, false, false, false});

        assertThat(e.rocAuc()).isEqualTo(0.5);
        assertThat(e.prAuc()).isEqualTo(0.25);
        assertThat(e.recallAt1Pct()).isZero();
    }

    @Test
    void shouldAgreeWithTheDefinitionOverAllPairs() {
        Random random = new Random(4);
        double[] scores = new double[300];
        boolean[] labels = new boolean[300];
        for (int i = 0; i < scores.length; i++) {
            labels[i] = random.nextInt(10) == 0;
            scores[i] = (random.nextInt(20) + (labels[i] ? 6 : 0)) / 30.0; // many ties
        }
        double wins = 0;
        double pairs = 0;
        for (int i = 0; i < scores.length; i++) {
            for (int j = 0; j < scores.length; j++) {
                if (labels[i] && !labels[j]) {
                    pairs++;
                    wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
            }
        }

        assertThat(Evaluation.of(scores, labels).rocAuc()).isCloseTo(wins / pairs, within(1e-12));
    }

    @Test
    void shouldStopBeforeTheFalsePositiveRateIsExceeded() {
        double[] scores = new double[1100];
        boolean[] labels = new boolean[1100];
        for (int i = 0; i < 1000; i++) {
            scores[i] = i / 1000.0; // honest
        }
        for (int i = 1000; i < 1100; i++) {
            scores[i] = 0.9805 + (i - 1000) / 5000.0;
            labels[i] = true;
        }

        Evaluation e = Evaluation.of(scores, labels);

        assertThat(e.recallAt1Pct()).isCloseTo(Evaluation.share(scores, labels, e.thresholdAt1Pct()), within(0.0));
        assertThat(Evaluation.share(scores, negated(labels), e.thresholdAt1Pct()))
                .isEqualTo(0.01);
        assertThat(e.recallAt01Pct()).isLessThan(e.recallAt1Pct());
    }

    private static boolean[] negated(boolean[] labels) {
        boolean[] out = new boolean[labels.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = !labels[i];
        }
        return out;
    }
}
