// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/// Sizes of differences, times, and what is told of the processor.
class MeasuresTest {
    @Test
    void shouldTellPercentilesWithinTheWidthOfABucket() {
        for (int seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            double[] sizes = new double[random.nextInt(1, 500)];
            Magnitudes magnitudes = new Magnitudes();
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = random.nextInt(5) == 0 ? 0 : Math.exp(random.nextDouble(-40, 40));
                magnitudes.add(sizes[i]);
            }
            Arrays.sort(sizes);
            for (double percent : new double[] {50, 90, 99, 99.9, 100}) {
                double exact = sizes[(int) Math.ceil(percent / 100 * sizes.length) - 1];
                assertThat(magnitudes.percentile(percent))
                        .as("seed %d, %s %%", seed, percent)
                        .isBetween(exact * (1 - 1e-7), exact * 1.004);
            }
            assertThat(magnitudes.max()).isEqualTo(sizes[sizes.length - 1]);
            assertThat(magnitudes.mean())
                    .isCloseTo(Arrays.stream(sizes).average().orElseThrow(), Percentage.withPercentage(1e-9));
        }
    }

    @Test
    void shouldCountDifferencesByDecade() {
        Magnitudes magnitudes = new Magnitudes();
        for (double size : new double[] {0, 0, 1e-40, 0.002, 0.005, 0.02, 5, 1e300}) {
            magnitudes.add(size);
        }

        OutputDifference difference = OutputDifference.of("y", 8, 6, 0, magnitudes);

        assertThat(difference.decades()).isEqualTo(new TreeMap<>(Map.of(-40, 1L, -3, 2L, -2, 1L, 0, 1L, 38, 1L)));
        assertThat(difference.max()).isEqualTo(1e300);
        assertThat(difference.p50()).isCloseTo(0.002, Offset.offset(0.00001));
    }

    @Test
    void shouldTellIntegersApartThatAreOneDouble() {
        long big = 1L << 53;

        assertThat(integers(DataType.INT64, big, DataType.INT64, big + 1)).containsExactly(1, 1);
        assertThat(integers(DataType.INT64, big, DataType.INT64, big)).containsExactly(0, 0);
        assertThat(integers(DataType.INT64, Long.MIN_VALUE, DataType.INT64, Long.MAX_VALUE))
                .containsExactly(1, 0x1p64);
        assertThat(integers(DataType.UINT64, -1, DataType.UINT64, -4)).containsExactly(1, 3);
        assertThat(integers(DataType.UINT64, -1, DataType.INT64, -1)).containsExactly(1, 0x1p64);
        assertThat(integers(DataType.UINT64, Long.MIN_VALUE, DataType.INT64, Long.MAX_VALUE))
                .containsExactly(1, 1);
        assertThat(integers(DataType.INT32, -7, DataType.INT64, -7)).containsExactly(0, 0);
        assertThat(integers(DataType.INT8, 3, DataType.UINT64, 5)).containsExactly(1, 2);
    }

    /// How many are unequal, and the largest difference.
    private static double[] integers(DataType one, long before, DataType other, long after) {
        OutputMeter meter = new OutputMeter("y");
        try (Tensor then = new Tensor(MemoryTag.CALL, one);
                Tensor now = new Tensor(MemoryTag.CALL, other)) {
            then.reshape(1).setLong(0, before);
            now.reshape(1).setLong(0, after);
            meter.add(then, now);
        }
        OutputDifference difference = meter.difference();
        return new double[] {difference.unequal(), difference.max()};
    }

    @Test
    void shouldTellNoSizesWhenThereAreNone() {
        OutputDifference none = new OutputMeter("y").difference();

        assertThat(new double[] {none.max(), none.mean(), none.p50(), none.p999()})
                .containsOnly(Double.NaN);
        assertThat(Figures.digits(Double.NaN)).isEqualTo("-");
    }

    @Test
    void shouldTakeTimesByTurns() {
        AtomicLong now = new AtomicLong();
        List<Character> order = new ArrayList<>();
        int[] count = new int[1];

        Timing[] times = new Stopwatch(now::get)
                .time(
                        () -> {
                            order.add('a');
                            now.addAndGet(40_000_000);
                        },
                        () -> {
                            order.add('b');
                            // Every fourth is slow: the median does not see it, the upper quarter does not either.
                            now.addAndGet(count[0]++ % 5 == 0 ? 90_000_000 : 20_000_000);
                        });

        assertThat(times[0]).isEqualTo(new Timing(40e6, 40e6, 40e6, 50, 1));
        assertThat(times[1]).isEqualTo(new Timing(20e6, 20e6, 20e6, 50, 1));
        String turns = order.stream().map(String::valueOf).reduce("", String::concat);
        assertThat(turns).as("after the warm-up").endsWith("abba".repeat(25));
    }

    @Test
    void shouldPutShortRunsTogether() {
        AtomicLong now = new AtomicLong();

        Timing[] times = new Stopwatch(now::get).time(() -> now.addAndGet(1_000));

        assertThat(times[0]).isEqualTo(new Timing(1_000, 1_000, 1_000, 101, 2_000));
    }

    @Test
    void shouldTakeFewSamplesWhenRunsAreLong() {
        AtomicLong now = new AtomicLong();

        Timing[] times = new Stopwatch(now::get).time(() -> now.addAndGet(3_000_000_000L));

        assertThat(times[0].samples()).isEqualTo(7);
    }

    @Test
    void shouldTellMedianAndQuarters() {
        assertThat(Timing.of(new double[] {5, 1, 4, 2, 3}, 9)).isEqualTo(new Timing(3, 2, 4, 5, 9));
        assertThat(Timing.of(new double[] {1, 2}, 1)).isEqualTo(new Timing(1.5, 1.25, 1.75, 2, 1));
    }
}
