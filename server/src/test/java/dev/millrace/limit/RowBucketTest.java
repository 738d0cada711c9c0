// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RowBucketTest {
    private static final long SECOND = 1_000_000_000L;

    private record Taken(long at, long rows) {}

    /// The law: in no time t more than burst + rate·t rows, t rounded up to the next nanosecond.
    @Test
    void shouldNeverGiveMoreThanBurstAndRateInAnyTime() {
        for (int seed = 0; seed < 100; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            long rate = random.nextBoolean() ? random.nextLong(1, 50) : random.nextLong(1, 1_000_000_000);
            long burst = random.nextLong(1, 200);
            RowBucket bucket = new RowBucket(rate, burst);
            List<Taken> taken = new ArrayList<>();
            long now = random.nextLong(1000);
            int refused = 0;
            for (int round = 0; round < 400; round++) {
                now += random.nextInt(3) == 0 ? random.nextLong(1 + 20 * SECOND / rate) : 0;
                long rows = random.nextLong(1, burst + 1);
                long wait = bucket.take(rows, now);
                if (wait == 0) {
                    taken.add(new Taken(now, rows));
                } else {
                    refused++;
                }
            }
            assertThat(refused).as("seed %d", seed).isPositive();
            requireLaw(seed, taken, rate, burst);
        }
    }

    private static void requireLaw(int seed, List<Taken> taken, long rate, long burst) {
        for (int from = 0; from < taken.size(); from++) {
            long rows = 0;
            for (int to = from; to < taken.size(); to++) {
                rows += taken.get(to).rows();
                double time = (taken.get(to).at() - taken.get(from).at() + 1) / 1e9;
                assertThat((double) rows)
                        .as("seed %d, from %d to %d", seed, from, to)
                        .isLessThanOrEqualTo(burst + rate * time + 1e-6);
            }
        }
    }

    /// It is not stricter than that either: what it says to wait for is there then, and not before.
    @Test
    void shouldGiveWhatItPromises() {
        for (int seed = 0; seed < 2000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            long rate = random.nextLong(1, 100_000);
            long burst = random.nextLong(1, 200);
            RowBucket bucket = new RowBucket(rate, burst);
            long now = random.nextLong(SECOND);
            assertThat(bucket.take(burst, now)).as("it begins full").isZero();

            long rows = random.nextLong(1, burst + 1);
            long wait = bucket.take(rows, now);
            assertThat(wait).as("seed %d", seed).isBetween(rows * SECOND / rate, rows * SECOND / rate + 1);
            assertThat(bucket.take(rows, now + wait - 1)).as("seed %d", seed).isEqualTo(1);
            assertThat(bucket.take(rows, now + wait)).as("seed %d", seed).isZero();
        }
    }

    @Test
    void shouldTellHowLongItIsEmpty() {
        RowBucket bucket = new RowBucket(10, 5);
        assertThat(bucket.untilRow(0)).isZero();
        bucket.take(4, 0);
        assertThat(bucket.untilRow(0)).isZero();
        bucket.take(1, 0);
        assertThat(bucket.untilRow(0)).isEqualTo(SECOND / 10);
        assertThat(bucket.untilRow(SECOND / 10 - 1)).isEqualTo(1);
        assertThat(bucket.untilRow(SECOND / 10)).isZero();
    }

    @Test
    void shouldOnlyRetireWhenItIsFull() {
        RowBucket bucket = new RowBucket(10, 5);
        bucket.take(2, 100);
        assertThat(bucket.retire(100 + SECOND / 5 - 1)).isFalse();
        assertThat(bucket.take(1, 100)).isZero();
        assertThat(bucket.retire(100 + 3 * SECOND / 10)).isTrue();
        assertThat(bucket.take(1, 10 * SECOND)).isEqualTo(RowBucket.GONE);
        assertThat(bucket.retire(10 * SECOND)).isFalse();
    }

    @Test
    void shouldGiveEveryRowOnceWhenManyTake() throws InterruptedException {
        RowBucket bucket = new RowBucket(1, 10_000);
        AtomicLong taken = new AtomicLong();
        List<Thread> takers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int rows = i + 1;
            takers.add(Thread.ofPlatform().start(() -> {
                while (bucket.take(rows, 5) == 0) {
                    taken.addAndGet(rows);
                }
            }));
        }
        for (Thread taker : takers) {
            taker.join();
        }
        assertThat(taken).hasValue(10_000);
    }
}
