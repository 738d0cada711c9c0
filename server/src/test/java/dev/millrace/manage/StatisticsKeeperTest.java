// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.manage.ModelStatistics.Batch;
import dev.millrace.manage.ModelStatistics.Spent;
import dev.millrace.monitor.BatchCounts;
import dev.millrace.monitor.Stage;
import dev.millrace.monitor.Sums;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Durations of all requests out of those that were timed.
class StatisticsKeeperTest {
    private final Lane lane = new Lane();
    private final StatisticsKeeper keeper = new StatisticsKeeper(() -> List.of(lane.statistics()));

    /// What a lane would have counted.
    private static final class Lane {
        final Map<Outcome, Long> ended = new EnumMap<>(Outcome.class);
        final Map<Outcome, Long> refused = new EnumMap<>(Outcome.class);
        final Map<Stage, Long> nanos = new EnumMap<>(Stage.class);
        long timed;
        long failed;
        long failedNanos;

        void answer(int requests) {
            ended.merge(Outcome.OK, (long) requests, Long::sum);
        }

        /// A timed request that counts for `weight`.
        void time(int weight, long queue, long run) {
            timed += weight;
            nanos.merge(Stage.QUEUE, weight * queue, Long::sum);
            nanos.merge(Stage.RUN, weight * run, Long::sum);
            nanos.merge(Stage.TOTAL, weight * (queue + run), Long::sum);
        }

        LaneStatistics statistics() {
            List<BatchCounts.Size> sizes = List.of(new BatchCounts.Size(2, 3, 70));
            Sums sums = new Sums(timed, nanos, failed, failedNanos);
            return new LaneStatistics(
                    "m", 4, 0, ended, refused, 6, 3, 70, sizes, 99, sums, 0, 0, 0, 0, 0, 0, hits, 20, 7, 80, 0, false,
                    0, 0);
        }

        /// Of those that were answered, from the response cache.
        private long hits;
    }

    private ModelStatistics read() {
        return keeper.read((_, _) -> 17).getFirst();
    }

    @Test
    void shouldCountWhatWasFoundInTheCacheAmongAnswersButNotAmongRuns() {
        lane.answer(5);
        lane.hits = 2;

        ModelStatistics read = read();

        assertThat(read.success().count()).isEqualTo(5);
        assertThat(read.queue().count()).isEqualTo(3);
        assertThat(read.computeInfer().count()).isEqualTo(3);
        assertThat(read.cacheHit()).isEqualTo(new Spent(2, 20));
        assertThat(read.cacheMiss()).isEqualTo(new Spent(7, 80));
    }

    @Test
    void shouldTakeWhatTheLaneCounted() {
        lane.answer(5);
        lane.ended.put(Outcome.EXPIRED, 1L);
        lane.ended.put(Outcome.CANCELLED, 2L);
        lane.ended.put(Outcome.FAILED, 3L);
        lane.refused.put(Outcome.OVERLOADED, 10L);
        lane.refused.put(Outcome.INVALID, 20L);
        lane.failed = 36;
        lane.failedNanos = 360;

        ModelStatistics read = read();

        assertThat(read.model()).isEqualTo("m");
        assertThat(read.version()).isEqualTo(4);
        assertThat(read.lastInferenceMillis()).isEqualTo(99);
        assertThat(read.inferenceCount()).isEqualTo(6);
        assertThat(read.executionCount()).isEqualTo(3);
        assertThat(read.batches()).containsExactly(new Batch(2, new Spent(3, 70)));
        assertThat(read.memoryBytes()).isEqualTo(17);
        assertThat(read.success().count()).isEqualTo(5);
        assertThat(read.fail()).isEqualTo(new Spent(36, 360));
        assertThat(read.failures())
                .isEqualTo(Map.of(
                        FailureReason.REJECTED, 11L,
                        FailureReason.CANCELED, 2L,
                        FailureReason.BACKEND, 3L,
                        FailureReason.OTHER, 20L));
    }

    @Test
    void shouldBeExactWhereEveryRequestIsTimed() {
        for (int i = 1; i <= 10; i++) {
            lane.answer(1);
            lane.time(1, 100L * i, 1000);
        }

        assertThat(read().queue()).isEqualTo(new Spent(10, 5500));
        assertThat(read().computeInfer()).isEqualTo(new Spent(10, 10_000));
        assertThat(read().success()).isEqualTo(new Spent(10, 15_500));
        assertThat(read().computeInput()).isEqualTo(new Spent(10, 0));
    }

    @Test
    void shouldScaleToAllRequestsAndToWhatCameBetweenTwoLooks() {
        lane.answer(1000);
        lane.time(512, 10, 100);
        assertThat(read().computeInfer()).isEqualTo(new Spent(1000, 100_000));

        lane.answer(500);
        lane.time(512, 10, 300);

        assertThat(read().computeInfer()).isEqualTo(new Spent(1500, 100_000 + 500 * 300));
        assertThat(read().queue()).isEqualTo(new Spent(1500, 15_000));
    }

    @Test
    void shouldWaitForATimedRequestWhereNoneWas() {
        lane.answer(100);
        assertThat(read().computeInfer()).isEqualTo(new Spent(100, 0));
        lane.answer(100);
        lane.time(64, 0, 50);

        assertThat(read().computeInfer()).isEqualTo(new Spent(200, 200 * 50));
    }

    @Test
    void shouldBeginAnewWhenTheVersionWasLoadedAnew() {
        lane.answer(100);
        lane.time(100, 0, 50);
        assertThat(read().computeInfer()).isEqualTo(new Spent(100, 5000));
        lane.ended.clear();
        lane.nanos.clear();
        lane.timed = 0;
        lane.answer(2);
        lane.time(2, 0, 7);

        assertThat(read().computeInfer()).isEqualTo(new Spent(2, 14));
    }

    /// Requests that are timed by one of 16, some of them told of before they are counted, looked at at random.
    @Test
    void shouldNeverGoBackAndComeNearTheTruth() {
        for (int seed = 0; seed < 20; seed++) {
            Lane random = new Lane();
            StatisticsKeeper looks = new StatisticsKeeper(() -> List.of(random.statistics()));
            SplittableRandom dice = new SplittableRandom(seed);
            ModelStatistics before = null;
            long truth = 0;
            for (int i = 0; i < 50_000; i++) {
                long queue = dice.nextInt(1000);
                long run = 100L + dice.nextInt(100);
                truth += queue + run;
                if (dice.nextInt(16) == 0) {
                    random.time(16, queue, run);
                }
                if (dice.nextInt(300) == 0) {
                    ModelStatistics now = looks.read((_, _) -> 0).getFirst();
                    assertGrown(seed, before, now);
                    before = now;
                }
                random.answer(1);
            }
            long said = looks.read((_, _) -> 0).getFirst().success().nanos();
            assertThat((double) said / truth).as("seed %d", seed).isCloseTo(1, within(0.1));
        }
    }

    private static void assertGrown(int seed, ModelStatistics before, ModelStatistics now) {
        if (before != null) {
            assertThat(now.success().nanos())
                    .as("seed %d", seed)
                    .isGreaterThanOrEqualTo(before.success().nanos());
            assertThat(now.queue().nanos())
                    .as("seed %d", seed)
                    .isGreaterThanOrEqualTo(before.queue().nanos());
        }
        assertThat(now.success().nanos())
                .as("seed %d", seed)
                .isGreaterThanOrEqualTo(now.queue().nanos() + now.computeInfer().nanos());
    }
}
