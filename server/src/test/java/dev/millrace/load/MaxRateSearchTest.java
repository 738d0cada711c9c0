// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaxRateSearchTest {
    private final List<Double> tried = new ArrayList<>();

    private double find(double start, MaxRateSearch.Trial server) throws Exception {
        tried.clear();
        return new MaxRateSearch(0.02, rate -> {
                    tried.add(rate);
                    return server.holds(rate);
                })
                .find(start)
                .orElse(0);
    }

    @ParameterizedTest
    @CsvSource({"1000,61234", "1000,1000", "1000,999.9", "1000,3.7", "50000,61234", "7,123456", "1000,0.5", "1,2"})
    void shouldComeWithinTwoPercentWhenTheServerHasALimit(double start, double limit) throws Exception {
        double found = find(start, rate -> rate <= limit);

        assertThat(found).isLessThanOrEqualTo(limit).isGreaterThan(limit / 1.021);
        assertThat(tried).contains(found);
        assertThat(tried.stream().distinct().count()).isLessThan(30);
    }

    @Test
    void shouldComeWithinTwoPercentWhateverTheLimit() throws Exception {
        long seed = 11;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 1000; i++) {
            double limit = Math.exp(random.nextDouble(0, 13));
            double start = Math.exp(random.nextDouble(0, 11));
            assertThat(find(start, rate -> rate <= limit))
                    .as("seed %d, case %d: from %f to %f", seed, i, start, limit)
                    .isLessThanOrEqualTo(limit)
                    .isGreaterThan(limit / 1.021);
        }
    }

    @Test
    void shouldHardlyBeMovedWhenOneTrialOfTenFailsByChance() throws Exception {
        long seed = 12;
        SplittableRandom random = new SplittableRandom(seed);
        int near = 0;
        for (int i = 0; i < 200; i++) {
            double found = find(1000, rate -> rate <= 50_000 && random.nextInt(10) > 0);
            assertThat(found).isLessThanOrEqualTo(50_000);
            if (found > 50_000 / 1.05) {
                near++;
            }
        }
        // Each of some ten rates fails twice with a chance of 1 %.
        assertThat(near).as("of 200, seed %d", seed).isGreaterThan(160);
    }

    @Test
    void shouldFindWhatHoldsMostlyWhenTheLimitIsSoft() throws Exception {
        SplittableRandom random = new SplittableRandom(13);
        for (int i = 0; i < 200; i++) {
            // Fails never below 40,000 and always above 60,000.
            double found = find(1000, rate -> random.nextDouble(40_000, 60_000) > rate);
            assertThat(found).isBetween(40_000 / 1.03, 60_000.0);
        }
    }

    @Test
    void shouldTryAgainWhenATrialFailsOnce() throws Exception {
        assertThat(find(1000, rate -> tried.size() != 1 && rate <= 1000)).isBetween(980.0, 1000.0);
        assertThat(tried).startsWith(1000.0, 1000.0, 2000.0, 2000.0);
    }

    @Test
    void shouldFindNothingWhenNothingHolds() throws Exception {
        assertThat(find(1000, _ -> false)).isZero();
        assertThat(tried)
                .last()
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.DOUBLE)
                .isLessThan(0.2);
    }

    @Test
    void shouldStopWhenEverythingHolds() throws Exception {
        assertThat(find(1000, _ -> true)).isGreaterThanOrEqualTo(1e7);
    }

    @Test
    void shouldTryTheSameRatesWhenItIsRepeated() throws Exception {
        find(1000, rate -> rate <= 34_567);
        List<Double> before = List.copyOf(tried);
        find(1000, rate -> rate <= 34_567);
        assertThat(tried)
                .isEqualTo(before)
                .allMatch(rate -> new java.math.BigDecimal(rate.toString())
                                .round(new java.math.MathContext(3))
                                .doubleValue()
                        == rate);
    }
}
