// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CostModelTest {
    private final CostModel cost = new CostModel();

    @Test
    void shouldAffordNothingButWithoutALimitWhenTooLittleIsKnown() {
        for (int runs = 0; runs < 3; runs++) {
            assertThat(cost.estimate(100)).isInfinite();
            assertThat(cost.affordable(1_000_000_000_000L)).isZero();
            assertThat(cost.affordable(Long.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE);
            cost.observe(1, 1000);
        }
        assertThat(cost.estimate(1)).as("from the third run on").isCloseTo(1000, within(1e-6));
    }

    @Test
    void shouldRecoverTheCoefficientsWhenTheCostIsLinear() {
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            CostModel learned = new CostModel();
            long fixed = random.nextLong(0, 100_000);
            long perRow = random.nextLong(1, 10_000);
            for (int i = 0; i < 300; i++) {
                int rows = random.nextInt(1, 129);
                learned.observe(rows, fixed + rows * perRow);
            }
            for (int rows = 1; rows <= 128; rows *= 2) {
                double expected = fixed + (double) rows * perRow;
                assertThat(learned.estimate(rows)).as("seed %d", seed).isCloseTo(expected, within(1 + expected * 1e-6));
            }
        }
    }

    @Test
    void shouldAffordMoreWhenTheBudgetIsLarger() {
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            CostModel learned = new CostModel();
            for (int i = 0; i < 50; i++) {
                learned.observe(random.nextInt(1, 64), random.nextLong(0, 100_000));
            }
            int before = 0;
            for (long budget = -1000; budget < 200_000; budget += 997) {
                int affordable = learned.affordable(budget);
                assertThat(affordable).as("seed %d budget %d", seed, budget).isGreaterThanOrEqualTo(before);
                if (affordable > 0 && affordable < Integer.MAX_VALUE) {
                    assertThat(learned.estimate(affordable))
                            .as("seed %d budget %d", seed, budget)
                            .isLessThanOrEqualTo(budget + 1e-6);
                }
                before = affordable;
            }
        }
    }

    @Test
    void shouldChargeAllToTheRunWhenOneSizeAloneWasSeen() {
        for (int i = 0; i < 20; i++) {
            cost.observe(8, 4000);
        }
        assertThat(cost.estimate(8)).isCloseTo(4000, within(1e-6));
        assertThat(cost.estimate(1)).isBetween(0.0, 4000.001);
    }

    @Test
    void shouldHardlyMoveWhenARunWasInterrupted() {
        for (int i = 0; i < 100; i++) {
            cost.observe(1, 5000);
        }
        cost.observe(1, 10_000_000_000L);
        assertThat(cost.estimate(1)).isLessThan(6000);
    }

    @Test
    void shouldFollowWhenTheCostReallyChanges() {
        for (int i = 0; i < 100; i++) {
            cost.observe(1 + i % 8, 1000L * (1 + i % 8));
        }
        for (int i = 0; i < 500; i++) {
            cost.observe(1 + i % 8, 50_000L * (1 + i % 8));
        }
        assertThat(cost.estimate(4)).isCloseTo(200_000, within(2000.0));
        for (int i = 0; i < 500; i++) {
            cost.observe(1 + i % 8, 1000L * (1 + i % 8));
        }
        assertThat(cost.estimate(4)).isCloseTo(4000, within(400.0));
    }

    @Test
    void shouldStaySaneWhenRunsTakeNoTime() {
        for (int i = 0; i < 100; i++) {
            cost.observe(1 + i % 3, 0);
        }
        assertThat(cost.estimate(1000)).isZero();
        assertThat(cost.affordable(1)).isEqualTo(Integer.MAX_VALUE);
    }
}
