// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import dev.millrace.monitor.BatchCounts;
import dev.millrace.monitor.Stage;
import dev.millrace.monitor.Sums;
import dev.millrace.runtime.Rig.Told;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a lane counts adds up, at rest and while it is read under load.
class StatisticsTest {
    private static final int RUN = 40_000;

    @Test
    void shouldCountRunsAndTheirTimeByBatchSize() {
        try (Rig rig = new Rig(4, 16, 1)) {
            rig.backend.onStart = run -> rig.clock.addAndGet((long) RUN * run.count());
            rig.submit(1, 3);
            rig.turn();
            rig.submit(1, 7);
            rig.turn();
            rig.submit(1, 1);
            rig.submit(2, 2);
            rig.turn();

            LaneStatistics statistics = rig.lane.statistics();

            assertThat(statistics.batchSizes())
                    .containsExactly(new BatchCounts.Size(3, 3, 9L * RUN), new BatchCounts.Size(4, 1, 4L * RUN));
            assertThat(statistics.rows()).isEqualTo(13);
            assertThat(statistics.batches()).isEqualTo(4);
            assertThat(statistics.runNanos()).isEqualTo(13L * RUN);
            assertThat(statistics.ended()).containsEntry(Outcome.OK, 4L);
        }
    }

    @Test
    void shouldNotCountRunsThatFailed() {
        try (Rig rig = new Rig(4, 16, 1)) {
            rig.backend.poison = 9;
            rig.submit(1, 1);
            rig.submit(9, 1);
            rig.turn();

            assertThat(rig.lane.statistics().batchSizes())
                    .extracting(BatchCounts.Size::rows, BatchCounts.Size::runs)
                    .containsExactly(tuple(1, 1L));
        }
    }

    @Test
    void shouldSayWhenTheLastRunEnded() {
        try (Rig rig = new Rig(4, 16, 1)) {
            assertThat(rig.lane.statistics().lastRunMillis()).isZero();

            long before = System.currentTimeMillis();
            rig.submit(1, 1);
            rig.turn();
            rig.clock.addAndGet(TimeUnit.HOURS.toNanos(1));
            long read = rig.lane.statistics().lastRunMillis();
            assertThat(read)
                    .as("an hour ago")
                    .isBetween(before - TimeUnit.HOURS.toMillis(1), System.currentTimeMillis() - 3_600_000);

            rig.clock.addAndGet(TimeUnit.HOURS.toNanos(1));
            assertThat(rig.lane.statistics().lastRunMillis())
                    .as("the same as long as nothing runs")
                    .isEqualTo(read);

            rig.submit(1, 1);
            rig.turn();
            assertThat(rig.lane.statistics().lastRunMillis()).as("now").isGreaterThanOrEqualTo(before);
        }
    }

    @Test
    void shouldSumWhatWasTimed() {
        try (Rig rig = new Rig(4, 16, 1)) {
            rig.backend.onStart = _ -> rig.clock.addAndGet(RUN);
            rig.submit(1, 1);
            rig.submit(2, 1);
            rig.clock.addAndGet(500);
            rig.turn();
            Told cancelled = rig.submit(3, 1);
            rig.clock.addAndGet(300);
            cancelled.call.cancel();
            Call late = rig.call().begin(false);
            rig.clock.addAndGet(70);
            rig.submit(late.timeout(Duration.ZERO), 1, 1);
            Call malformed = rig.call().begin(false);
            rig.clock.addAndGet(7);
            malformed.refuse(Outcome.INVALID);

            Sums sums = rig.lane.statistics().timed();

            assertThat(sums.answered()).isEqualTo(2);
            assertThat(sums.nanos())
                    .containsEntry(Stage.QUEUE, 1_000L)
                    .containsEntry(Stage.RUN, 2L * RUN)
                    .containsEntry(Stage.TOTAL, 1_000L + 2L * RUN);
            assertThat(sums.failed()).isEqualTo(3);
            assertThat(sums.failedNanos()).isEqualTo(300 + 70 + 7);
        }
    }

    @Test
    void shouldTimeNothingWhenRecordingIsOff() {
        try (Rig rig = Rig.withoutRecording()) {
            rig.submit(1, 1);
            rig.turn();

            assertThat(rig.lane.statistics().timed()).isEqualTo(Sums.NONE);
            assertThat(rig.lane.statistics().rows()).isOne();
        }
    }

    @Test
    void shouldCountEverySizeHoweverLargeBatchesAre() {
        SplittableRandom random = new SplittableRandom(7);
        BatchCounts counts = new BatchCounts(5000);
        Map<Integer, BatchCounts.Size> expected = new TreeMap<>();
        for (int i = 0; i < 20_000; i++) {
            int rows = 1 + random.nextInt(random.nextBoolean() ? 10 : 5000);
            long nanos = random.nextInt(1000);
            counts.add(rows, nanos);
            expected.merge(
                    rows,
                    new BatchCounts.Size(rows, 1, nanos),
                    (a, b) -> new BatchCounts.Size(rows, a.runs() + b.runs(), a.nanos() + b.nanos()));
        }
        counts.add(5000, 1);
        expected.merge(
                5000,
                new BatchCounts.Size(5000, 1, 1),
                (a, b) -> new BatchCounts.Size(5000, a.runs() + b.runs(), a.nanos() + b.nanos()));

        assertThat(counts.sizes()).containsExactlyElementsOf(expected.values());
    }

    /// Callers with requests of one to five rows, some of them refused or cancelled, and one who reads all the time.
    @Test
    void shouldAddUpWhileItIsReadUnderLoad(@TempDir Path folder) throws InterruptedException {
        RuntimeConfig config = RuntimeConfig.DEFAULT.withAgents(2);
        try (Millrace millrace = Millrace.open(config, TestModels.repository(folder, "mlp"))) {
            Model model = millrace.model("mlp");
            AtomicReference<Throwable> problem = new AtomicReference<>();
            AtomicInteger running = new AtomicInteger(4);
            Counts counts = new Counts();
            List<Thread> callers = new ArrayList<>();
            for (int seed = 0; seed < 4; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                callers.add(Thread.ofPlatform().start(() -> {
                    try {
                        call(model, random, counts);
                    } catch (Throwable t) {
                        problem.set(t);
                    } finally {
                        running.decrementAndGet();
                    }
                }));
            }
            LaneStatistics last = statistics(millrace);
            while (running.get() > 0) {
                LaneStatistics now = statistics(millrace);
                assertConsistent(last, now);
                last = now;
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertThat(problem.get()).isNull();
            LaneStatistics end = statistics(millrace);
            assertConsistent(last, end);
            assertThat(end.ended().get(Outcome.OK)).isEqualTo(counts.answered.get());
            assertThat(end.refused().get(Outcome.EXPIRED)).isEqualTo(counts.refused.get());
            assertThat(end.rows()).isEqualTo(counts.rows.get());
        }
    }

    private static final class Counts {
        final AtomicInteger answered = new AtomicInteger();
        final AtomicInteger refused = new AtomicInteger();
        final AtomicInteger rows = new AtomicInteger();
    }

    private static void call(Model model, SplittableRandom random, Counts counts) {
        try (Call call = model.call()) {
            for (int i = 0; i < 5_000; i++) {
                int rows = 1 + random.nextInt(5);
                call.rows(rows).timeout(random.nextInt(50) == 0 ? Duration.ZERO : null);
                if (call.run() == Outcome.OK) {
                    counts.answered.incrementAndGet();
                    counts.rows.addAndGet(rows);
                } else {
                    counts.refused.incrementAndGet();
                }
            }
        }
    }

    private static LaneStatistics statistics(Millrace millrace) {
        return millrace.statistics().stream()
                .filter(lane -> lane.model().equals("mlp"))
                .findFirst()
                .orElseThrow();
    }

    private static void assertConsistent(LaneStatistics before, LaneStatistics now) {
        long rows = 0;
        long runs = 0;
        for (BatchCounts.Size size : now.batchSizes()) {
            rows += size.rows() * size.runs();
            runs += size.runs();
        }
        assertThat(now.rows()).isEqualTo(rows);
        assertThat(now.batches()).isEqualTo(runs).isLessThanOrEqualTo(rows);
        assertThat(now.ended().get(Outcome.OK)).isLessThanOrEqualTo(rows);
        assertThat(now.inFlight()).isNotNegative();
        assertGrown(numbers(before), numbers(now));
    }

    private static void assertGrown(Map<String, Long> before, Map<String, Long> now) {
        before.forEach(
                (name, value) -> assertThat(now.get(name)).as(name).isNotNull().isGreaterThanOrEqualTo(value));
    }

    private static Map<String, Long> numbers(LaneStatistics statistics) {
        Map<String, Long> numbers = new TreeMap<>();
        numbers.put("accepted", statistics.accepted());
        numbers.put("rows", statistics.rows());
        numbers.put("batches", statistics.batches());
        numbers.put("runNanos", statistics.runNanos());
        numbers.put("lastRunMillis", statistics.lastRunMillis());
        numbers.put("answered", statistics.timed().answered());
        statistics.ended().forEach((outcome, count) -> numbers.put("ended " + outcome, count));
        statistics.refused().forEach((outcome, count) -> numbers.put("refused " + outcome, count));
        statistics.timed().nanos().forEach((stage, nanos) -> numbers.put("nanos " + stage, nanos));
        statistics.batchSizes().forEach(size -> {
            numbers.put("runs of " + size.rows(), size.runs());
            numbers.put("nanos of " + size.rows(), size.nanos());
        });
        return numbers;
    }
}
