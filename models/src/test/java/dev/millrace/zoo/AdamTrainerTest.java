// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AdamTrainerTest {
    private static final AdamTrainer.Settings WEIGHTED = new AdamTrainer.Settings(1, 5e-3, 64, 30, 30, 5.0, 0);

    /// Labels drawn with known probabilities: the weight of frauds must not show in the scores.
    @Test
    void shouldGiveProbabilitiesAlthoughFraudsWeighMore() {
        Dataset data = new Dataset(new ArrayList<>(), List.of());
        boolean[] labels = new boolean[8000];
        Random random = new Random(2);
        for (int i = 0; i < labels.length; i++) {
            float x = random.nextInt(2);
            data.rows().add(new float[] {x, 3});
            labels[i] = random.nextDouble() < (x == 0 ? 0.05 : 0.30);
        }
        Scorer scorer = Scorer.standardisedBy(data.rows(), new Mlp(2, 8, 1));

        new AdamTrainer(scorer, WEIGHTED).train(data, labels, data, labels);

        assertThat(scorer.score(new float[] {0, 3})).isCloseTo(0.05, within(0.02));
        assertThat(scorer.score(new float[] {1, 3})).isCloseTo(0.30, within(0.04));
    }

    @Test
    void shouldRepeatItselfAndStoreFloats() {
        Dataset data = new Dataset(List.of(new float[] {0}, new float[] {1}, new float[] {2}), List.of());
        boolean[] labels = {false, true, true};
        Scorer one = Scorer.standardisedBy(data.rows(), new Mlp(1, 4, 1));
        Scorer two = Scorer.standardisedBy(data.rows(), new Mlp(1, 4, 1));

        new AdamTrainer(one, WEIGHTED).train(data, labels, data, labels);
        new AdamTrainer(two, WEIGHTED).train(data, labels, data, labels);

        assertThat(one.net().parameters()).isEqualTo(two.net().parameters());
        for (double parameter : one.net().parameters()) {
            assertThat(parameter).isEqualTo((float) parameter);
        }
    }

    @Test
    void shouldStandardiseByPopulationDeviationAndOnlyCentreConstants() {
        Scorer scorer = Scorer.standardisedBy(List.of(new float[] {1, 7}, new float[] {3, 7}), new Mlp(2, 1));

        assertThat(scorer.mean()).containsExactly(2, 7);
        assertThat(scorer.scale()).containsExactly(1, 1);
    }
}
