// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SamplerTest {
    /// As a call draws.
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private final Sampler sampler = new Sampler(0);
    private long now;
    private long requests;

    /// A stretch of time with that many requests per second, in windows.
    private void run(long nanos, long perSecond) {
        long end = now + nanos;
        while (now < end) {
            now += Sampler.WINDOW_NANOS;
            requests += perSecond * Sampler.WINDOW_NANOS / 1_000_000_000;
            assertThat(sampler.isDue(now)).isTrue();
            sampler.roll(now, requests);
            assertThat(sampler.isDue(now)).isFalse();
        }
    }

    private long largestWeight() {
        return sampler.weight(0);
    }

    @Test
    void shouldTimeEveryRequestWhenThereAreFew() {
        SplittableRandom random = new SplittableRandom(1);
        run(1_000_000_000, Sampler.PER_SECOND);
        for (int i = 0; i < 10_000; i++) {
            assertThat(sampler.weight(random.nextLong())).isOne();
        }
    }

    @Test
    void shouldTimeASmallerShareWhenThereAreMany() {
        run(100_000_000, 2 * Sampler.PER_SECOND);
        assertThat(largestWeight()).isEqualTo(2);
        run(100_000_000, 90_000);
        assertThat(largestWeight()).isEqualTo(8);
        run(100_000_000, 5_000_000);
        assertThat(largestWeight()).isEqualTo(256);
        run(100_000_000, 1_000_000_000);
        assertThat(largestWeight()).isEqualTo(1024);
    }

    @Test
    void shouldTimeEveryRequestAgainWhenABurstIsOver() {
        run(100_000_000, 5_000_000);
        now += 1_000_000_000;
        sampler.roll(now, ++requests);
        assertThat(largestWeight()).isOne();
    }

    @Test
    void shouldKeepTheShareWithinAWindow() {
        run(100_000_000, 5_000_000);
        sampler.roll(now + 1, requests + 1);
        assertThat(largestWeight()).isEqualTo(256);
    }

    /// Requests of 64 calls that are used again and again, in batches whose first row waits longest. If a place
    /// in the batch were favoured, the estimates would be off by far more than chance allows.
    @Test
    void shouldEstimateWithoutBiasWhenLatencyDependsOnThePlaceInABatch() {
        for (long seed = 1; seed <= 5; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            long[] draws = random.longs(64).toArray();
            long[] timedAt = new long[64];
            double sum = 0;
            double weights = 0;
            double estimate = 0;
            run(100_000_000, seed * 150_000);
            for (int batch = 0; batch < 20_000; batch++) {
                for (int place = 0; place < 64; place++) {
                    double latency = 100 + 64 - place + random.nextDouble();
                    int weight = sampler.weight(draws[place] += STEP);
                    timedAt[place] += weight > 0 ? 1 : 0;
                    sum += latency;
                    weights += weight;
                    estimate += weight * latency;
                }
            }
            double total = 64 * 20_000;
            assertThat(weights / total).as("seed %d", seed).isCloseTo(1, within(0.01));
            assertThat(estimate / weights / (sum / total)).as("seed %d", seed).isCloseTo(1, within(0.002));
            long expected = 20_000 / largestWeight();
            for (int place = 0; place < 64; place++) {
                assertThat(timedAt[place])
                        .as("seed %d, place %d", seed, place)
                        .isBetween(expected * 9 / 10 - 5, expected * 11 / 10 + 5);
            }
        }
    }

    /// The share changes while the load does, also within one distribution: weights make up for it.
    @Test
    void shouldEstimateWithoutBiasWhenTheRateChanges() {
        SplittableRandom random = new SplittableRandom(7);
        long draw = random.nextLong();
        double slow = 0;
        double all = 0;
        for (int window = 0; window < 2_000; window++) {
            boolean busy = window % 2 == 0;
            run(Sampler.WINDOW_NANOS, busy ? 1_000_000 : 10_000);
            // What the share of one window is decided by is the one before: the busy one is timed completely.
            int count = busy ? 100 : 10_000;
            for (int i = 0; i < count; i++) {
                int weight = sampler.weight(draw += STEP);
                slow += busy ? 0 : weight;
                all += weight;
            }
        }
        assertThat(all).isCloseTo(1_000 * 10_100, within(all / 100));
        assertThat(slow / all).isCloseTo(10_000.0 / 10_100, within(0.001));
    }
}
