// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Seeds are fixed, so that these statistics are always the same.
class PoissonArrivalsTest {
    private static final int COUNT = 100_000;

    private static double[] gaps(double rate, long seed) {
        PoissonArrivals arrivals = new PoissonArrivals(rate, seed);
        double[] gaps = new double[COUNT];
        long last = 0;
        for (int i = 0; i < COUNT; i++) {
            long next = arrivals.next();
            gaps[i] = next - last;
            last = next;
        }
        return gaps;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void shouldHaveExponentialGaps(long seed) {
        double[] gaps = gaps(1000, seed);

        double mean = Arrays.stream(gaps).average().orElseThrow();
        assertThat(mean).isCloseTo(1e6, within(2e4));
        Arrays.sort(gaps);
        double distance = 0;
        for (int i = 0; i < COUNT; i++) {
            double expected = 1 - Math.exp(-gaps[i] / 1e6);
            distance = Math.max(distance, Math.abs(expected - (double) i / COUNT));
        }
        // Kolmogorov and Smirnov: one of ten thousand seeds would exceed this.
        assertThat(distance * Math.sqrt(COUNT)).isLessThan(2.23);
    }

    @Test
    void shouldHaveIndependentGaps() {
        double[] gaps = gaps(1000, 7);

        double products = 0;
        for (int i = 1; i < COUNT; i++) {
            products += (gaps[i - 1] / 1e6 - 1) * (gaps[i] / 1e6 - 1);
        }
        assertThat(products / COUNT).as("autocorrelation").isCloseTo(0, within(0.02));
    }

    @Test
    void shouldRepeatItselfWhenTheSeedIsTheSame() {
        assertThat(gaps(1000, 42)).isEqualTo(gaps(1000, 42)).isNotEqualTo(gaps(1000, 43));
    }

    @Test
    void shouldOnlyStretchTheGapsWhenTheRateIsAnother() {
        double[] slow = gaps(1000, 42);
        double[] fast = gaps(4000, 42);
        for (int i = 0; i < COUNT; i++) {
            assertThat(4 * fast[i]).isCloseTo(slow[i], within(8.0));
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN})
    void shouldRefuseWhenThereIsNoRate(double rate) {
        assertThatThrownBy(() -> new PoissonArrivals(rate, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rate");
    }
}
