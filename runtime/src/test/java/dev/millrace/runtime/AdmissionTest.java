// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Rig.Told;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Requests with deadlines: who is let in, and how batches are cut for them.
class AdmissionTest {
    private static final long ROW = 1000;

    /// A lane that knows that a row takes a microsecond.
    private static Rig rig(int maxBatch) {
        Rig rig = new Rig(maxBatch, 64, 1);
        for (int i = 0; i < 50; i++) {
            rig.lane.cost().observe(1 + i % maxBatch, (1 + i % maxBatch) * ROW);
        }
        rig.backend.onStart = run -> rig.clock.addAndGet(run.count() * ROW);
        return rig;
    }

    private static Told submit(Rig rig, int rows, long timeout) {
        return rig.submit(rig.call().timeoutNanos(timeout), 1, rows);
    }

    @Test
    void shouldRefuseAtOnceWhenTheDeadlineCannotBeMet() {
        try (Rig rig = rig(4)) {
            for (int i = 0; i < 10; i++) {
                rig.submit(i, 1);
            }
            // The first is let in to find out whether the prediction is true.
            submit(rig, 1, 5 * ROW);
            Told refused = submit(rig, 1, 5 * ROW);
            Told admitted = submit(rig, 1, 30 * ROW);

            assertThat(refused.admission).isEqualTo(Outcome.OVERLOADED);
            assertThat(refused.call.message())
                    .isEqualTo("an answer of model 'fake' version 3 is expected in 0.012 ms, its deadline is in"
                            + " 0.005 ms");
            assertThat(refused.call.retryAfterNanos()).isBetween(12 * ROW, 14 * ROW);
            assertThat(rig.lane.statistics().unmeetable()).isEqualTo(1);
            assertThat(rig.lane.statistics().refused().get(Outcome.OVERLOADED)).isEqualTo(1);
            rig.turn();
            admitted.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldReckonWithTheRunInProgress() {
        try (Rig rig = rig(4)) {
            rig.backend.onStart = _ -> {};
            rig.backend.later = true;
            rig.submit(1, 4);
            rig.turn();
            submit(rig, 1, 2 * ROW);
            assertThat(submit(rig, 1, 5 * ROW).admission).isEqualTo(Outcome.OVERLOADED);
            rig.clock.addAndGet(2 * ROW);
            assertThat(submit(rig, 1, 5 * ROW).admission).isEqualTo(Outcome.OK);
            rig.backend.complete(rig.lane, rig.backend.pending.peek());
        }
    }

    @Test
    void shouldNotAskHigherPrioritiesToWaitForLowerOnes() {
        try (Rig rig = Rig.withPriorities(2, 4, 64, 1)) {
            for (int i = 0; i < 50; i++) {
                rig.lane.cost().observe(1 + i % 4, (1 + i % 4) * ROW);
            }
            for (int i = 0; i < 10; i++) {
                rig.submit(rig.call().priority(2), i, 1);
            }
            rig.submit(rig.call().priority(2).timeoutNanos(5 * ROW), 1, 1);

            assertThat(rig.submit(rig.call().priority(2).timeoutNanos(5 * ROW), 1, 1).admission)
                    .isEqualTo(Outcome.OVERLOADED);
            assertThat(rig.submit(rig.call().priority(1).timeoutNanos(5 * ROW), 1, 1).admission)
                    .isEqualTo(Outcome.OK);
        }
    }

    @Test
    void shouldCutABatchSoThatItEndsBeforeTheDeadlinesInIt() {
        try (Rig rig = rig(32)) {
            Told urgent = submit(rig, 1, 60 * ROW);
            for (int i = 0; i < 31; i++) {
                rig.submit(i, 1);
            }
            rig.clock.addAndGet(50 * ROW);

            rig.turn();

            urgent.assertAnswered();
            assertThat(rig.backend.counts().getFirst()).isBetween(8, 9);
            rig.assertConserved();
        }
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldRunTheFirstRowWhenItIsJustInTimeWhateverRunsCost() {
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try (Rig rig = new Rig(4, 8, 1)) {
                for (int i = 0; i < 10; i++) {
                    int rows = random.nextInt(1, 5);
                    rig.lane.cost().observe(rows, (long) rows * rows * random.nextInt(100, 200));
                }
                long alone = (long) rig.lane.cost().estimate(1);
                Told urgent = submit(rig, 1, 60 * ROW);
                Told next = rig.submit(2, 1);
                rig.clock.addAndGet(60 * ROW - alone - alone / 20);

                rig.turn();

                urgent.assertAnswered();
                next.assertAnswered();
            }
        }
    }

    @Test
    void shouldNotCutABatchForARequestThatIsLateAnyway() {
        try (Rig rig = rig(32)) {
            Told late = submit(rig, 1, 60 * ROW);
            for (int i = 0; i < 31; i++) {
                rig.submit(i, 1);
            }
            rig.clock.addAndGet(60 * ROW - ROW / 2);

            rig.turn();

            late.assertAnswered();
            assertThat(rig.backend.counts()).containsExactly(32);
        }
    }

    @Test
    void shouldLimitEveryRequestToTheModelsTimeout() {
        try (Rig rig = Rig.withDefaultTimeout(100)) {
            Told silent = rig.submit(1, 1);
            Told longer = rig.submit(rig.call().timeoutNanos(TimeUnit.SECONDS.toNanos(1)), 2, 1);
            Told shorter = rig.submit(rig.call().timeoutNanos(50), 3, 1);

            rig.clock.addAndGet(60);
            rig.sweeper.sweep();
            shorter.assertEnded(Outcome.EXPIRED);
            assertThat(silent.isOpen()).isTrue();
            rig.clock.addAndGet(60);
            rig.sweeper.sweep();

            silent.assertEnded(Outcome.EXPIRED);
            longer.assertEnded(Outcome.EXPIRED);
            rig.turn();
            rig.assertConserved();
        }
    }

    @Test
    void shouldTerminateARunWhenNobodyWaitsForIt() {
        try (Rig rig = new Rig(4, 8, 1)) {
            rig.backend.later = true;
            rig.backend.running = 7;
            Told one = submit(rig, 1, 100);
            Told two = submit(rig, 1, 200);
            rig.turn();

            rig.clock.addAndGet(150);
            rig.sweeper.sweep();
            one.assertEnded(Outcome.EXPIRED);
            assertThat(rig.backend.terminated).as("somebody waits").isZero();
            rig.clock.addAndGet(150);
            rig.sweeper.sweep();

            two.assertEnded(Outcome.EXPIRED);
            assertThat(rig.backend.terminated).isEqualTo(1);
            assertThat(rig.lane.statistics().terminated()).isEqualTo(1);
            rig.lane.completed(0, new IllegalStateException("terminated"));
            rig.assertConserved();
        }
    }

    @Test
    void shouldTerminateARunWhenItsCallersHaveGone() {
        try (Rig rig = new Rig(4, 8, 1)) {
            rig.backend.later = true;
            rig.backend.running = 7;
            Told told = rig.submit(1, 2);
            rig.turn();
            rig.sweeper.sweep();
            assertThat(rig.backend.terminated).isZero();

            told.call.cancel();
            rig.sweeper.sweep();

            assertThat(rig.backend.terminated).isEqualTo(1);
            rig.lane.completed(0, new IllegalStateException("terminated"));
            rig.sweeper.sweep();
            assertThat(rig.lane.isToBeSwept()).isFalse();
            rig.assertConserved();
        }
    }
}
