// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DistributionTest {
    private static final double[] PERCENTS = {0.1, 1, 50, 90, 95, 99, 99.9, 99.99, 100};

    /// From 100 ns to 10 s, each order of magnitude as likely as the others.
    private static long[] latencies(SplittableRandom random, int count) {
        return random.doubles(count, 2, 10)
                .mapToLong(exponent -> (long) Math.pow(10, exponent))
                .toArray();
    }

    /// The nearest-rank percentile of the values themselves.
    private static long percentile(long[] sorted, double percent) {
        int rank = (int) Math.ceil(percent / 100 * sorted.length);
        return sorted[Math.max(0, rank - 1)];
    }

    @Test
    void shouldTellPercentilesWithinOnePercentWhenValuesAreSpread() {
        for (long seed = 1; seed <= 5; seed++) {
            long[] values = latencies(new SplittableRandom(seed), 20_000);
            LaneRecorder recorder = LaneRecorder.of("m", 1, 128, 0);
            for (long value : values) {
                recorder.record(Stage.RUN, value, 1);
            }
            Arrays.sort(values);

            Distribution run = recorder.snapshot().stages().get(Stage.RUN);

            for (double percent : PERCENTS) {
                long expected = percentile(values, percent);
                assertThat(run.percentile(percent))
                        .as("seed %d, p%s", seed, percent)
                        .isBetween(expected - expected / 100 - 16, expected + expected / 100 + 16);
            }
            long largest = values[values.length - 1];
            assertThat(run.max()).isBetween(largest, largest + largest / 100 + 16);
            assertThat(run.count()).isEqualTo(values.length);
            assertThat(run.sum()).isEqualTo(Arrays.stream(values).sum());
        }
    }

    @Test
    void shouldTellOnlyTheWindowWhenAnEarlierSnapshotIsSubtracted() {
        LaneRecorder recorder = LaneRecorder.of("m", 1, 128, 0);
        recorder.record(Stage.QUEUE, 5_000_000, 3);
        Recording earlier = recorder.snapshot();
        recorder.record(Stage.QUEUE, 1_000, 1);
        recorder.record(Stage.QUEUE, 2_000, 2);
        recorder.batch(7, 0);

        Recording window = recorder.snapshot().since(earlier);
        Distribution queue = window.stages().get(Stage.QUEUE);

        assertThat(queue.count()).isEqualTo(3);
        assertThat(queue.sum()).isEqualTo(5_000);
        assertThat(queue.max()).isBetween(2_000L, 2_032L);
        assertThat(queue.percentile(10)).isBetween(1_000L, 1_016L);
        assertThat(window.stages().get(Stage.RUN).count()).isZero();
        assertThat(window.batchRows().sum()).isEqualTo(7);
    }

    @Test
    void shouldBeZeroWhenNothingCame() {
        Distribution nothing =
                LaneRecorder.of("m", 1, 128, 0).snapshot().stages().get(Stage.TOTAL);

        assertThat(nothing.count()).isZero();
        assertThat(nothing.sum()).isZero();
        assertThat(nothing.max()).isZero();
        assertThat(nothing.percentile(99)).isZero();
    }

    @Test
    void shouldKeepValuesThatAreOutOfRangeAtItsEnds() {
        LaneRecorder recorder = LaneRecorder.of("m", 1, 128, 0);
        recorder.record(Stage.RUN, -1, 1);
        recorder.record(Stage.RUN, Long.MAX_VALUE, 1);

        Distribution run = recorder.snapshot().stages().get(Stage.RUN);

        assertThat(run.count()).isEqualTo(2);
        assertThat(run.percentile(50)).isLessThan(16);
        assertThat(run.max()).isBetween(LaneRecorder.MAX_NANOS, LaneRecorder.MAX_NANOS + LaneRecorder.MAX_NANOS / 100);
        assertThat(run.sum()).isEqualTo(LaneRecorder.MAX_NANOS);
    }

    @Test
    void shouldCountEveryBatchSizeByItself() {
        for (int maxBatch : new int[] {1, 2, 100, 255, 256, 1000}) {
            LaneRecorder recorder = LaneRecorder.of("m", 1, maxBatch, 0);
            for (int rows = 1; rows <= maxBatch; rows++) {
                recorder.batch(rows, 0);
            }
            Distribution batches = recorder.snapshot().batchRows();
            for (int rows = 0; rows <= maxBatch; rows++) {
                assertThat(batches.countUpTo(rows)).as("max %d", maxBatch).isEqualTo(rows);
            }
            assertThat(batches.countUpTo(100_000)).isEqualTo(maxBatch);
            assertThat(batches.sum()).isEqualTo(maxBatch * (maxBatch + 1L) / 2);
        }
    }

    @Test
    void shouldRecordNothingWhenItIsOff() {
        LaneRecorder recorder = LaneRecorder.off("m", 1, 128);
        recorder.record(Stage.RUN, 100, 1);
        recorder.batch(4, 0);

        assertThat(recorder.weight(0)).isZero();
        assertThat(recorder.isDue(Long.MAX_VALUE)).isFalse();
        assertThat(recorder.snapshot().stages()).isEmpty();
        assertThat(recorder.snapshot().batchRows().count()).isZero();
    }

    @Test
    void shouldLoseNothingWhenSeveralThreadsRecordAndOneReads() throws InterruptedException {
        LaneRecorder recorder = LaneRecorder.of("m", 1, 128, 0);
        AtomicInteger running = new AtomicInteger(3);
        Thread[] writers = new Thread[3];
        for (int i = 0; i < writers.length; i++) {
            SplittableRandom random = new SplittableRandom(i);
            writers[i] = Thread.ofPlatform().start(() -> {
                for (int n = 0; n < 100_000; n++) {
                    recorder.record(Stage.TOTAL, random.nextLong(1, 1_000_000_000), 2);
                }
                running.decrementAndGet();
            });
        }
        Recording before = recorder.snapshot();
        while (running.get() > 0) {
            Recording now = recorder.snapshot();
            Distribution window = now.since(before).stages().get(Stage.TOTAL);
            assertThat(window.count()).isNotNegative();
            before = now;
        }
        for (Thread writer : writers) {
            writer.join();
        }
        assertThat(recorder.snapshot().stages().get(Stage.TOTAL).count()).isEqualTo(600_000);
    }
}
