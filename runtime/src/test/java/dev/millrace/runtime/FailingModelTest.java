// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.runtime.Rig.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// A batch that fails because of some of its rows, and a model that fails always.
class FailingModelTest {
    private static final float POISON = 1000;

    @Test
    void shouldAnswerTheMatesOfARowThatFailsItsBatch() {
        try (Rig rig = new Rig(8, 16, 1)) {
            rig.backend.poison = POISON;
            Told one = rig.submit(1, 1);
            Told two = rig.submit(2, 2);
            Told bad = rig.submit(POISON, 1);
            Told dead = rig.submit(4, 1);
            Told last = rig.submit(5, 3);
            dead.call.cancel();

            rig.turn();

            one.assertAnswered();
            two.assertAnswered();
            bad.assertEnded(Outcome.FAILED);
            dead.assertEnded(Outcome.CANCELLED);
            last.assertAnswered();
            assertThat(rig.backend.counts()).containsExactly(8, 4, 2, 2, 1, 1, 4);
            assertThat(bad.call.message())
                    .matches("model 'fake' failed on this batch: poisoned \\(error id [0-9a-f]+\\)");
            assertThat(rig.lane.statistics().splits()).isEqualTo(3);
            assertThat(rig.lane.statistics().breakerOpened()).isZero();
            rig.assertConserved();
            Told again = rig.submit(bad.call, 9, 1);
            rig.turn();
            again.assertAnswered();
            assertThat(again.call.message()).isEmpty();
        }
    }

    @Test
    void shouldAnswerTheMatesWhenTheFailureIsToldLater() {
        try (Rig rig = new Rig(4, 8, 2)) {
            rig.backend.later = true;
            Told one = rig.submit(1, 1);
            Told bad = rig.submit(2, 1);
            Told three = rig.submit(3, 2);
            rig.turn();

            fail(rig);
            fail(rig);
            rig.backend.complete(rig.lane, rig.backend.pending.peek());
            fail(rig);
            rig.backend.complete(rig.lane, rig.backend.pending.peek());

            one.assertAnswered();
            bad.assertEnded(Outcome.FAILED);
            three.assertAnswered();
            assertThat(rig.backend.counts()).containsExactly(4, 2, 1, 1, 2);
            rig.assertConserved();
        }
    }

    private static void fail(Rig rig) {
        rig.lane.completed(rig.backend.pending.remove().instance(), new IllegalStateException("device lost"));
    }

    @Test
    void shouldAnswerAllButPoisonedRequestsWhateverTheBatch() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int maxBatch = 1 << random.nextInt(8);
            try (Rig rig = Rig.withPriorities(1, maxBatch, 256, 1)) {
                rig.backend.poison = POISON;
                List<Told> good = new ArrayList<>();
                // One bad row of a batch is always found; many need more runs than they are worth.
                int poisoned = random.nextInt(maxBatch);
                Told bad = null;
                for (int i = 0; i < maxBatch; i++) {
                    if (i == poisoned) {
                        bad = rig.submit(POISON, 1);
                    } else {
                        good.add(rig.submit(i, 1));
                    }
                }

                rig.turn();

                good.forEach(Told::assertAnswered);
                bad.assertEnded(Outcome.FAILED);
                rig.assertConserved();
            }
        }
    }

    @Test
    void shouldNotSplitForEverWhenEveryRowFails() {
        try (Rig rig = Rig.withPriorities(1, 128, 128, 1)) {
            rig.backend.poison = POISON;
            List<Told> bad = new ArrayList<>();
            for (int i = 0; i < 128; i++) {
                bad.add(rig.submit(POISON, 1));
            }

            rig.turn();

            bad.forEach(told -> told.assertEnded(Outcome.FAILED));
            assertThat(rig.backend.counts()).as("runs").hasSizeLessThan(45);
            rig.assertConserved();
        }
    }

    @Test
    void shouldRefuseRequestsWhenRunsKeepFailingAndTryAgainAfterAWhile() {
        try (Rig rig = new Rig(4, 16, 1)) {
            rig.backend.poison = POISON;
            for (int i = 0; i < 5; i++) {
                Told bad = rig.submit(POISON, 1);
                rig.turn();
                bad.assertEnded(Outcome.FAILED);
            }

            Told refused = rig.submit(1, 1);
            assertThat(refused.admission).isEqualTo(Outcome.UNAVAILABLE);
            assertThat(refused.call.message())
                    .isEqualTo("model 'fake' version 3 keeps failing, 5 runs in a row, and is tried again in 1.000 s:"
                            + " poisoned");
            assertThat(refused.call.retryAfterNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(1));
            assertThat(rig.lane.statistics().breakerOpen()).isTrue();
            assertThat(rig.lane.statistics().refused().get(Outcome.UNAVAILABLE)).isEqualTo(1);

            rig.clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
            Told probe = rig.submit(POISON, 1);
            assertThat(rig.submit(1, 1).admission).as("one probe at a time").isEqualTo(Outcome.UNAVAILABLE);
            rig.turn();
            probe.assertEnded(Outcome.FAILED);

            rig.clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
            assertThat(rig.submit(1, 1).admission).as("twice the time").isEqualTo(Outcome.UNAVAILABLE);
            rig.clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
            Told second = rig.submit(2, 1);
            rig.turn();
            second.assertAnswered();
            Told after = rig.submit(3, 1);
            rig.turn();
            after.assertAnswered();
            assertThat(rig.lane.statistics().breakerOpen()).isFalse();
            assertThat(rig.lane.statistics().breakerOpened()).isEqualTo(1);
            rig.assertConserved();
        }
    }

    @Test
    void shouldNotBlameTheModelForRunsThatWereTerminated() {
        try (Rig rig = new Rig(4, 16, 1)) {
            rig.backend.later = true;
            for (int i = 0; i < 10; i++) {
                Told told = rig.submit(1, 2);
                rig.turn();
                told.call.cancel();
                fail(rig);
                told.assertEnded(Outcome.CANCELLED);
            }
            assertThat(rig.lane.statistics().splits()).isZero();
            assertThat(rig.submit(1, 1).admission).isEqualTo(Outcome.OK);
            rig.turn();
            rig.backend.complete(rig.lane, rig.backend.pending.peek());
            rig.assertConserved();
        }
    }

    @Test
    void shouldCallItOverloadWhenThereIsNoRoomForARunOrAnAnswer() {
        MemoryBudget budget = MemoryBudget.of("the tensors of a test", 100);
        budget.reserve(MemoryTag.CALL, 60);
        try (Rig rig = new Rig(4, 16, 1)) {
            for (int i = 0; i < 10; i++) {
                rig.backend.failures.add(noRoom(budget, 50));
                Told told = rig.submit(1, 1);
                rig.turn();
                told.assertEnded(Outcome.OVERLOADED);
                assertThat(told.call.message())
                        .isEqualTo("model 'fake': 50 bytes for call do not fit into the tensors of a test: 60 of 100"
                                + " bytes are used, 0 of them as long as the models are served");
            }
            rig.backend.failures.add(noRoom(budget, 101));
            Told tooLarge = rig.submit(1, 1);
            rig.turn();
            tooLarge.assertEnded(Outcome.TOO_LARGE);
            rig.backend.failures.add(noRoom(budget, 50));
            Told one = rig.submit(1, 1);
            Told two = rig.submit(2, 1);
            rig.turn();
            one.assertAnswered();
            two.assertAnswered();
            assertThat(rig.lane.statistics().breakerOpened())
                    .as("not the model's fault")
                    .isZero();
            rig.assertConserved();
        }
    }

    private static MemoryExceededException noRoom(MemoryBudget budget, long bytes) {
        try {
            budget.reserve(MemoryTag.CALL, bytes);
            throw new AssertionError("there was room");
        } catch (MemoryExceededException e) {
            return e;
        }
    }
}
