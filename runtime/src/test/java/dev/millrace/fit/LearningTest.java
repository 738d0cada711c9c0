// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Moments and quantiles against slow ways to the same.
class LearningTest {
    private static double[] numbers(SplittableRandom random, int count) {
        double offset = new double[] {0, 1e9, -1e-9, 12345.678}[random.nextInt(4)];
        double spread = new double[] {1, 1e-3, 1e6, 0}[random.nextInt(4)];
        double[] numbers = new double[count];
        Arrays.setAll(numbers, _ -> offset + spread * random.nextDouble(-1, 1));
        return numbers;
    }

    @Test
    void shouldHaveTheMomentsOfExactArithmetic() {
        for (int seed = 0; seed < 60; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            double[] numbers = numbers(random, random.nextInt(2, 3_000));
            Moments moments = new Moments();
            BigDecimal sum = BigDecimal.ZERO;
            for (double x : numbers) {
                moments.add(x);
                sum = sum.add(new BigDecimal(x));
            }
            BigDecimal mean = sum.divide(BigDecimal.valueOf(numbers.length), MathContext.DECIMAL128);
            BigDecimal squares = BigDecimal.ZERO;
            for (double x : numbers) {
                BigDecimal apart = new BigDecimal(x).subtract(mean);
                squares = squares.add(apart.multiply(apart), MathContext.DECIMAL128);
            }
            double variance = squares.doubleValue() / numbers.length;
            assertThat(moments.count()).isEqualTo(numbers.length);
            assertThat(Math.abs(moments.mean() - mean.doubleValue()))
                    .as("mean, seed %d", seed)
                    .isLessThanOrEqualTo(1e-14 * Math.abs(mean.doubleValue()) + 1e-300);
            if (moments.std(0) > 0) {
                assertThat(moments.std(0) / Math.sqrt(variance))
                        .as("seed %d", seed)
                        .isBetween(1 - 1e-12, 1 + 1e-12);
                assertThat(moments.std(1) / Math.sqrt(squares.doubleValue() / (numbers.length - 1)))
                        .isBetween(1 - 1e-12, 1 + 1e-12);
            } else {
                assertThat(Math.sqrt(variance)).isLessThanOrEqualTo(1e-12 * Math.abs(mean.doubleValue()));
            }
        }
    }

    @Test
    void shouldHaveNoSpreadWhereThereIsNone() {
        Moments moments = new Moments();
        for (int i = 0; i < 1_000; i++) {
            moments.add(0.1);
        }
        assertThat(moments.mean()).isEqualTo(0.1);
        assertThat(moments.std(0)).isZero();
        assertThat(moments.std(1)).isZero();
        Moments one = new Moments();
        one.add(7);
        assertThat(one.std(1)).isZero();
    }

    @Test
    void shouldInterpolateAsNumpyDoes() {
        Quantiles quantiles = new Quantiles();
        for (double x : new double[] {4, 1, 3, 2}) {
            quantiles.add(x);
        }
        assertThat(quantiles.at(0, 0.25, 0.5, 0.75, 1)).containsExactly(1, 1.75, 2.5, 3.25, 4);
        assertThat(quantiles.isExact()).isTrue();
    }

    @Test
    void shouldStayWithinTheRankThatIsPromised() {
        for (int seed = 0; seed < 40; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int buffer = 64;
            int exact = buffer * random.nextInt(1, 8);
            int count = random.nextInt(1, 60_000);
            Quantiles quantiles = new Quantiles(exact, buffer);
            double[] numbers = new double[count];
            for (int i = 0; i < count; i++) {
                numbers[i] = seed % 3 == 0 ? i : seed % 3 == 1 ? -i * 0.5 : random.nextInt(-500, 500);
                quantiles.add(numbers[i]);
            }
            Arrays.sort(numbers);
            assertThat(quantiles.isExact()).isEqualTo(count <= exact);
            assertThat(quantiles.count()).isEqualTo(count);
            int levels = Math.max(1, 32 - Integer.numberOfLeadingZeros(count / buffer));
            double bound = quantiles.isExact() ? 0 : (double) count * levels / (2 * buffer) + 1;
            double[] parts = {0, 0.01, 0.25, 0.5, 0.9, 0.999, 1};
            double[] found = quantiles.at(parts);
            for (int i = 0; i < parts.length; i++) {
                double rank = parts[i] * (count - 1);
                double low = numbers[(int) Math.max(0, Math.floor(rank - bound))];
                double high = numbers[(int) Math.min(count - 1, Math.ceil(rank + bound))];
                assertThat(found[i])
                        .as("seed %d, %s of %d", seed, parts[i], count)
                        .isBetween(low, high);
            }
            assertThat(found[0]).isEqualTo(numbers[0]);
            assertThat(found[6]).isEqualTo(numbers[count - 1]);
        }
    }
}
