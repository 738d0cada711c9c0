// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.monitor.Distribution;
import dev.millrace.monitor.Recording;
import dev.millrace.monitor.Stage;
import dev.millrace.runtime.Rig.Told;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What is recorded of requests, by a clock that only moves when the test or its backend says so.
class RecordingTest {
    private static final int LOAD = 3_000;
    private static final int RUN = 40_000;
    private static final int UNLOAD = 7_000;

    private final Rig rig = new Rig(4, 16, 1);

    RecordingTest() {
        rig.backend.onLoad = () -> rig.clock.addAndGet(LOAD);
        rig.backend.onStart = _ -> rig.clock.addAndGet(RUN);
        rig.backend.onUnload = () -> rig.clock.addAndGet(UNLOAD);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private Recording recorded() {
        return rig.lane.recorder().snapshot();
    }

    private Distribution recorded(Stage stage) {
        return recorded().stages().get(stage);
    }

    private static void assertTimes(Timing timing, Map<Stage, Integer> nanos) {
        assertThat(timing.isComplete()).isTrue();
        nanos.forEach((stage, expected) ->
                assertThat(timing.nanos(stage)).as("%s", stage).isEqualTo(expected.longValue()));
        long parts = 0;
        for (Stage stage : Stage.values()) {
            parts += stage == Stage.TOTAL ? 0 : timing.nanos(stage);
        }
        assertThat(timing.nanos(Stage.TOTAL)).as("the sum of the stages").isEqualTo(parts);
    }

    @Test
    void shouldRecordEveryStageWhenACallIsSubmitted() {
        Told told = rig.submit(1, 1);
        rig.clock.addAndGet(100_000);
        rig.turn();

        told.assertAnswered();
        assertTimes(
                told.call.timing(),
                Map.of(
                        Stage.DECODE,
                        0,
                        Stage.ASSEMBLE,
                        LOAD,
                        Stage.QUEUE,
                        100_000,
                        Stage.RUN,
                        RUN,
                        Stage.DELIVER,
                        UNLOAD,
                        Stage.ENCODE,
                        0));
        for (Stage stage : Stage.values()) {
            boolean owners = stage == Stage.DECODE || stage == Stage.ENCODE;
            assertThat(recorded(stage).count()).as("%s", stage).isEqualTo(owners ? 0 : 1);
            assertThat(recorded(stage).sum())
                    .as("%s", stage)
                    .isEqualTo(told.call.timing().nanos(stage));
        }
    }

    @Test
    void shouldRecordDecodingAndEncodingWhenTheOwnerTells() {
        Call call = rig.call().begin(false);
        rig.clock.addAndGet(10_000);
        call.decoded();
        rig.clock.addAndGet(20_000);
        Told told = rig.submit(call, 1, 1);
        rig.clock.addAndGet(50_000);
        rig.turn();
        assertThat(recorded(Stage.TOTAL).count()).as("not ended yet").isZero();
        rig.clock.addAndGet(5_000);
        call.encoding();
        rig.clock.addAndGet(9_000);
        call.encoded();

        told.assertAnswered();
        assertTimes(
                call.timing(),
                Map.of(
                        Stage.DECODE,
                        10_000,
                        Stage.ASSEMBLE,
                        LOAD,
                        Stage.QUEUE,
                        70_000,
                        Stage.RUN,
                        RUN,
                        Stage.DELIVER,
                        UNLOAD + 5_000,
                        Stage.ENCODE,
                        9_000));
        for (Stage stage : Stage.values()) {
            assertThat(recorded(stage).count()).as("%s", stage).isOne();
            assertThat(recorded(stage).sum())
                    .as("%s", stage)
                    .isEqualTo(call.timing().nanos(stage));
        }
    }

    @Test
    void shouldNotTakeALaterRequestForOneThatTheOwnerBegan() {
        Call call = rig.call().begin(false);
        call.decoded();
        rig.submit(call, 1, 1);
        rig.turn();
        rig.submit(call, 1, 1);
        rig.turn();

        assertThat(recorded(Stage.TOTAL).count())
                .as("only the second has ended")
                .isOne();
        assertThat(recorded(Stage.DECODE).count()).isZero();
    }

    @Test
    void shouldRecordOnceWhenTheOwnerTellsTooMuch() {
        Call call = rig.call().begin(true);
        call.encoding();
        call.encoded();
        assertThat(call.timing().isComplete()).as("nothing was answered").isFalse();
        call.decoded();
        rig.submit(call, 1, 1);
        rig.turn();
        for (int i = 0; i < 2; i++) {
            call.encoding();
            rig.clock.addAndGet(1_000);
            call.encoded();
        }
        assertThat(call.timing().nanos(Stage.ENCODE)).isEqualTo(1_000);
        rig.submit(call, 1, 1);
        rig.turn();
        long own = call.timing().nanos(Stage.TOTAL);
        rig.clock.addAndGet(1_000);
        call.encoding();
        call.encoded();
        assertThat(call.timing().nanos(Stage.TOTAL))
                .as("not begun by its owner")
                .isEqualTo(own);
        call.begin(true);
        call.encoded();

        assertThat(recorded(Stage.TOTAL).count()).isEqualTo(2);
        assertThat(recorded(Stage.ENCODE).count()).isOne();
    }

    @Test
    void shouldTellEachItsOwnTimesWhenSeveralShareABatch() {
        Told first = rig.submit(1, 1);
        rig.clock.addAndGet(1_000);
        Told second = rig.submit(2, 2);
        rig.turn();

        assertThat(first.call.timing().nanos(Stage.QUEUE)).isEqualTo(1_000 + LOAD);
        assertThat(second.call.timing().nanos(Stage.QUEUE)).isZero();
        assertThat(first.call.timing().nanos(Stage.DELIVER))
                .as("told when all answers of the batch are copied")
                .isEqualTo(2 * UNLOAD);
        assertThat(second.call.timing().nanos(Stage.DELIVER)).isEqualTo(2 * UNLOAD);
        assertThat(first.call.timing().batchRows()).isEqualTo(3);
        assertThat(second.call.timing().batchRows()).isEqualTo(3);
        assertThat(recorded().batchRows().count()).isOne();
        assertThat(recorded().batchRows().sum()).isEqualTo(3);
    }

    @Test
    void shouldCountTheLastSliceWhenRowsRunInSeveral() {
        Told told = rig.submit(1, 10);
        rig.turn();

        told.assertAnswered();
        assertTimes(
                told.call.timing(),
                Map.of(
                        Stage.ASSEMBLE, LOAD,
                        Stage.QUEUE, 2 * (RUN + UNLOAD),
                        Stage.RUN, RUN,
                        Stage.DELIVER, UNLOAD));
        assertThat(recorded(Stage.TOTAL).count()).isOne();
        assertThat(recorded().batchRows().count()).isEqualTo(3);
        assertThat(recorded().batchRows().sum()).isEqualTo(10);
        assertThat(told.call.timing().batchRows()).isEqualTo(2);
    }

    @Test
    void shouldRecordNothingWhenARequestIsNotAnswered() {
        Told cancelled = rig.submit(1, 1);
        cancelled.call.cancel();
        rig.backend.failures.add(new IllegalStateException("broken"));
        Told failed = rig.submit(2, 1);
        rig.turn();

        cancelled.assertEnded(Outcome.CANCELLED);
        failed.assertEnded(Outcome.FAILED);
        assertThat(failed.call.timing().isComplete()).isFalse();
        assertThat(recorded(Stage.TOTAL).count()).isZero();
        assertThat(recorded().batchRows().count()).as("a failed run").isZero();
    }

    @Test
    void shouldCountRowsThatNobodyWaitedFor() {
        Told dead = rig.submit(1, 2);
        dead.call.cancel();
        Told living = rig.submit(2, 1);
        Told cancelledInTheRun = rig.submit(3, 3);
        rig.backend.onStart = _ -> cancelledInTheRun.call.cancel();
        rig.turn();

        living.assertAnswered();
        LaneStatistics statistics = rig.lane.statistics();
        assertThat(statistics.skippedRows()).as("ended while they waited").isEqualTo(2);
        assertThat(statistics.deadRows()).as("ended while they ran").isEqualTo(3);
        assertThat(statistics.rows()).isEqualTo(4);
    }

    @Test
    void shouldCountOverdueRowsThatRunBesideOthersAsDead() {
        Call call = rig.call().timeout(Duration.ofNanos(LOAD));
        Told overdue = rig.submit(call, 1, 1);
        Told living = rig.submit(2, 1);
        rig.turn();

        overdue.assertEnded(Outcome.EXPIRED);
        living.assertAnswered();
        assertThat(rig.lane.statistics().deadRows()).isOne();
    }

    @Test
    void shouldTimeWhatIsWantedAndRecordNothingWhenRecordingIsOff() {
        try (Rig off = Rig.withoutRecording()) {
            Call call = off.call().begin(true);
            call.decoded();
            off.submit(call, 1, 1);
            off.clock.addAndGet(100);
            off.turn();
            call.encoding();
            call.encoded();

            assertThat(call.timing().isComplete()).isTrue();
            assertThat(call.timing().nanos(Stage.QUEUE)).isEqualTo(100);
            Told unwanted = off.submit(1, 1);
            off.turn();
            assertThat(unwanted.call.isTimed()).isFalse();
            assertThat(off.lane.recorder().snapshot().stages()).isEmpty();
        }
    }

    /// The clients that ask are not the same as all clients: they must not weigh more than others.
    @Test
    void shouldRecordWhatIsWantedAsOftenAsAnythingElse() {
        int asked = 20_000;
        Call call = rig.call();
        rig.backend.onLoad = () -> {};
        rig.backend.onStart = _ -> rig.clock.addAndGet(1_000);
        rig.backend.onUnload = () -> {};
        for (int i = 0; i < asked; i++) {
            call.begin(true).decoded();
            rig.submit(call, 1, 1);
            rig.turn();
            call.encoding();
            call.encoded();
            assertThat(call.timing().isComplete()).isTrue();
        }
        Distribution total = recorded(Stage.TOTAL);
        assertThat(total.count()).isBetween(asked * 98L / 100, asked * 102L / 100);
        assertThat(total.sum()).as("all took the same, whatever they weigh").isEqualTo(total.count() * 1_000);
    }
}
