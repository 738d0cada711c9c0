// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.runtime.Rig.Told;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    @Test
    void shouldExpireAWaitingRequestWhenTheSweeperPasses() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told told = submit(rig, 1, 100);
            Told patient = rig.submit(2, 1);
            assertThat(rig.lane.hasDeadlines()).isTrue();

            rig.clock.addAndGet(100);
            assertThat(rig.sweeper.sweep()).isTrue();
            assertThat(told.isOpen()).as("at the deadline").isTrue();
            rig.clock.addAndGet(1);
            rig.sweeper.sweep();

            told.assertEnded(Outcome.EXPIRED);
            assertThat(told.call.message()).isEqualTo("the deadline of the request to model 'fake' version 3 passed");
            assertThat(rig.sweeper.sweep()).as("no deadline is left").isFalse();
            rig.turn();
            patient.assertAnswered();
            assertThat(rig.backend.counts()).containsExactly(1);
            rig.assertConserved();
        }
    }

    @Test
    void shouldExpireBeforeTheRunWhenTheSliceIsTakenTooLate() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told late = submit(rig, 1, 100);
            Told inTime = submit(rig, 2, 1000);
            rig.clock.addAndGet(500);

            rig.turn();

            late.assertEnded(Outcome.EXPIRED);
            inTime.assertAnswered();
            assertThat(rig.backend.counts()).as("the dead row is run over").containsExactly(2);
            rig.assertConserved();
        }
    }

    @Test
    void shouldNotRunASliceWhenAllOfItIsOverdue() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told one = submit(rig, 1, 100);
            Told two = submit(rig, 2, 200);
            rig.clock.addAndGet(500);

            rig.turn();

            one.assertEnded(Outcome.EXPIRED);
            two.assertEnded(Outcome.EXPIRED);
            assertThat(rig.backend.started).isEmpty();
            assertThat(rig.backend.released).containsExactly("0+2");
            assertThat(rig.lane.statistics().batches()).isZero();
            assertThat(rig.lane.isIdle()).isTrue();
            Told whole = rig.submit(3, 8);
            rig.turn();
            whole.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldLearnNothingWhenNothingWasRun() {
        try (Rig rig = new Rig(4, 8, 1)) {
            for (int i = 0; i < 30; i++) {
                rig.lane.cost().observe(1, 5000);
            }
            for (int i = 0; i < 100; i++) {
                submit(rig, i, 1);
                rig.clock.addAndGet(2);
                rig.turn();
            }
            assertThat(rig.lane.cost().estimate(1)).isCloseTo(5000, within(1e-6));
        }
    }

    @Test
    void shouldExpireDuringTheRunWhenTheSweeperPasses() {
        try (Rig rig = new Rig(4, 8, 1)) {
            rig.backend.later = true;
            Told told = submit(rig, 1, 100);
            rig.turn();
            rig.clock.addAndGet(101);

            rig.sweeper.sweep();
            told.assertEnded(Outcome.EXPIRED);
            assertThat(rig.lane.isIdle()).as("its slots are still being read").isFalse();
            rig.backend.complete(rig.lane, rig.backend.pending.peek());

            told.assertEnded(Outcome.EXPIRED);
            assertThat(rig.lane.isIdle()).isTrue();
            rig.assertConserved();
        }
    }

    @Test
    void shouldJudgeAReusedCallByItsOwnDeadlineWhenAnOldSlotStillShowsIt() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told old = submit(rig, 1, 100);
            old.call.cancel();
            old.call.timeoutNanos(10_000);
            Told present = rig.submit(old.call, 2, 1);
            rig.clock.addAndGet(5000);

            rig.sweeper.sweep();
            assertThat(present.isOpen()).isTrue();
            rig.clock.addAndGet(5001);
            rig.sweeper.sweep();

            old.assertEnded(Outcome.CANCELLED);
            present.assertEnded(Outcome.EXPIRED);
            rig.turn();
            rig.assertConserved();
        }
    }

    @Test
    void shouldCountDownDeadlinesWhenRequestsEndInAnyWay() {
        try (Rig rig = new Rig(4, 4, 1)) {
            submit(rig, 1, 100);
            submit(rig, 2, 100).call.cancel();
            Told refused = rig.submit(rig.call().timeoutNanos(5), 3, 3);
            assertThat(refused.admission).isEqualTo(Outcome.OVERLOADED);
            assertThat(rig.lane.hasDeadlines()).isTrue();

            rig.turn();

            assertThat(rig.lane.hasDeadlines()).isFalse();
            rig.assertConserved();
        }
    }

    @Test
    void shouldRefuseAsExpiredWhenNoTimeIsLeft() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told zero = rig.submit(rig.call().timeout(Duration.ZERO), 1, 1);
            Told negative = rig.submit(rig.call().timeout(Duration.ofMillis(-3)), 2, 1);

            assertThat(zero.admission).isEqualTo(Outcome.EXPIRED);
            assertThat(negative.admission).isEqualTo(Outcome.EXPIRED);
            assertThat(rig.turn()).isZero();
            assertThat(rig.lane.statistics().refused()).containsEntry(Outcome.EXPIRED, 2L);
            rig.assertConserved();
        }
    }

    @Test
    void shouldHaveNoLimitWhenTheTimeoutIsNullOrForEver() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told none = rig.submit(rig.call().timeoutNanos(5).timeout(null), 2, 1);
            Told ever = rig.submit(rig.call().timeoutNanos(Long.MAX_VALUE), 3, 1);
            Told centuries = rig.submit(rig.call().timeoutNanos(Long.MAX_VALUE - 10), 4, 1);
            rig.clock.addAndGet(1L << 60);

            rig.sweeper.sweep();
            rig.turn();

            none.assertAnswered();
            ever.assertAnswered();
            centuries.assertAnswered();
        }
    }

    private static Told submit(Rig rig, float value, long timeoutNanos) {
        return rig.submit(rig.call().timeoutNanos(timeoutNanos), value, 1);
    }
}
