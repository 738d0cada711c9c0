// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Rig.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class BatchPolicyTest {
    private static final long DELAY = 1_000_000;

    private static Rig rig(int maxBatch, Integer... preferred) {
        return new Rig(new BatchPolicy(16, maxBatch, List.of(preferred), DELAY), 16, 1);
    }

    private static Told submitWithin(Rig rig, float value, long timeoutNanos) {
        return rig.submit(rig.call().timeoutNanos(timeoutNanos), value, 1);
    }

    @Test
    void shouldWaitUntilTheOldestRowHasWaitedForTheDelay() {
        try (Rig rig = rig(8)) {
            Told first = rig.submit(1, 1);
            rig.clock.addAndGet(DELAY - 1);
            Told second = rig.submit(2, 2);

            assertThat(rig.turn()).isZero();
            assertThat(rig.lane.hasWork()).isFalse();
            assertThat(rig.lane.watch()).isEqualTo(1000 + DELAY);
            rig.clock.addAndGet(1);
            assertThat(rig.turn()).isEqualTo(1);

            assertThat(rig.backend.counts()).containsExactly(3);
            first.assertAnswered();
            second.assertAnswered();
            assertThat(rig.lane.watch()).as("nothing waits").isEqualTo(BatchPolicy.NEVER);
            rig.assertConserved();
        }
    }

    @Test
    void shouldGoAtOnceWhenTheLargestBatchIsReached() {
        try (Rig rig = rig(4)) {
            Told three = rig.submit(1, 3);
            assertThat(rig.turn()).isZero();

            Told three2 = rig.submit(4, 3);
            assertThat(rig.turn()).isEqualTo(1);

            assertThat(rig.backend.counts()).containsExactly(4);
            three.assertAnswered();
            assertThat(three2.isOpen()).as("two of its rows wait").isTrue();
            rig.clock.addAndGet(DELAY);
            rig.turn();
            assertThat(rig.backend.counts()).containsExactly(4, 2);
            three2.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldGoAtOnceWhenAPreferredSizeIsReached() {
        try (Rig rig = rig(8, 3, 6)) {
            rig.submit(1, 2);
            assertThat(rig.turn()).isZero();
            rig.submit(3, 1);
            assertThat(rig.turn()).isEqualTo(1);
            rig.submit(4, 5);
            assertThat(rig.turn()).as("three of five; two wait").isEqualTo(1);
            rig.submit(9, 5);
            assertThat(rig.turn()).as("six of seven; one waits").isEqualTo(1);
            rig.clock.addAndGet(DELAY);
            assertThat(rig.turn()).as("cut by the wrap no more").isEqualTo(1);

            assertThat(rig.backend.counts()).containsExactly(3, 3, 6, 1);
            rig.assertConserved();
        }
    }

    @Test
    void shouldCutAtThePreferredSizeWhenTheDelayIsOver() {
        try (Rig rig = rig(8, 4)) {
            rig.submit(1, 3);
            rig.clock.addAndGet(DELAY);
            rig.submit(4, 3);

            rig.turn();

            assertThat(rig.backend.counts())
                    .as("the last two wait for their own time")
                    .containsExactly(4);
            assertThat(rig.lane.watch()).isEqualTo(1000 + 2 * DELAY);
            rig.clock.addAndGet(DELAY);
            rig.turn();
            assertThat(rig.backend.counts()).containsExactly(4, 2);
            rig.assertConserved();
        }
    }

    @Test
    void shouldOnlyShapeBatchesWhenThereIsNoDelay() {
        try (Rig rig = new Rig(new BatchPolicy(16, 8, List.of(4), 0), 16, 1)) {
            rig.submit(1, 7);
            rig.turn();
            assertThat(rig.backend.counts()).containsExactly(4, 3);
        }
    }

    @Test
    void shouldGoEarlierWhenADeadlineComesBeforeTheDelayIsOver() {
        try (Rig rig = rig(8)) {
            for (int i = 0; i < 20; i++) {
                rig.lane.cost().observe(8, 50_000);
            }
            Told patient = rig.submit(1, 1);
            rig.clock.addAndGet(10);
            Told urgent = submitWithin(rig, 2, 700_000);

            long at = rig.lane.watch();
            assertThat(at).as("run and wake-up fit").isEqualTo(1010 + 700_000 - 50_000 - 100_000);
            rig.clock.set(at - 1);
            assertThat(rig.turn()).isZero();
            rig.clock.set(at);
            assertThat(rig.turn()).isEqualTo(1);

            patient.assertAnswered();
            urgent.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldGoAtOnceWhenADeadlineLeavesNoTimeOrTheCostIsUnknown() {
        try (Rig rig = rig(8)) {
            Told urgent = submitWithin(rig, 1, 10_000_000_000L);
            assertThat(rig.turn()).as("nothing is known about the run").isEqualTo(1);
            urgent.assertAnswered();
            for (int i = 0; i < 20; i++) {
                rig.lane.cost().observe(8, 50_000);
            }
            Told soon = submitWithin(rig, 1, 120_000);
            assertThat(rig.turn()).isEqualTo(1);
            soon.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldKeepToTheDeadlineOfARowThatIsLeftWhenOthersWent() {
        try (Rig rig = rig(2)) {
            for (int i = 0; i < 20; i++) {
                rig.lane.cost().observe(2, 50_000);
            }
            rig.submit(1, 2);
            Told urgent = submitWithin(rig, 3, 400_000);

            assertThat(rig.turn()).isEqualTo(1);

            assertThat(urgent.isOpen()).isTrue();
            assertThat(rig.lane.watch()).isEqualTo(1000 + 400_000 - 150_000);
            rig.clock.addAndGet(250_000);
            rig.turn();
            urgent.assertAnswered();
        }
    }

    @Test
    void shouldExpireWhileItWaitsWhenTheSweeperPasses() {
        try (Rig rig = rig(8)) {
            Told told = submitWithin(rig, 1, 100);
            rig.clock.addAndGet(101);
            rig.sweeper.sweep();
            told.assertEnded(Outcome.EXPIRED);
            assertThat(rig.turn()).isZero();
            assertThat(rig.backend.started).isEmpty();
            rig.assertConserved();
        }
    }

    @Test
    void shouldWaitForTheRestWhenTheOldestWasCancelled() {
        try (Rig rig = rig(8)) {
            Told oldest = rig.submit(1, 1);
            rig.clock.addAndGet(600);
            Told second = rig.submit(2, 1);
            oldest.call.cancel();
            oldest.assertEnded(Outcome.CANCELLED);

            rig.clock.addAndGet(DELAY - 600);
            assertThat(rig.turn()).as("its time has come, but it needs no run").isZero();
            assertThat(rig.lane.watch()).isEqualTo(1600 + DELAY);
            rig.clock.addAndGet(600);
            assertThat(rig.turn()).isEqualTo(1);

            assertThat(rig.backend.started).containsExactly(new FakeBackend.Started(0, 1, 1));
            second.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldForgetTheTimeWhenAllThatWaitedWereCancelled() {
        try (Rig rig = rig(8)) {
            rig.submit(1, 3).call.cancel();
            rig.clock.addAndGet(DELAY);
            assertThat(rig.turn()).isZero();
            assertThat(rig.lane.watch()).isEqualTo(BatchPolicy.NEVER);
            rig.assertConserved();
        }
    }

    @Test
    void shouldAnswerWhatWaitsWhenTheLaneIsClosed() {
        try (Rig rig = rig(8)) {
            Told told = rig.submit(1, 3);
            assertThat(rig.turn()).isZero();

            rig.lane.refuse();

            assertThat(rig.lane.drain(1_000_000_000)).isTrue();
            told.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldEndWhatWaitsWhenTheLaneIsAbandoned() {
        try (Rig rig = rig(8)) {
            Told told = rig.submit(1, 3);
            rig.lane.abandon();
            told.assertEnded(Outcome.UNAVAILABLE);
            assertThat(rig.lane.watch()).isEqualTo(BatchPolicy.NEVER);
            rig.assertConserved();
        }
    }

    @Test
    void shouldNotWaitAtTheWrapWhenNoMoreRowsFitIntoTheSlice() {
        try (Rig rig = new Rig(new BatchPolicy(8, 4, List.of(), DELAY), 8, 1)) {
            rig.submit(1, 4);
            rig.turn();
            rig.submit(5, 2);
            rig.clock.addAndGet(DELAY);
            rig.turn();
            rig.backend.started.clear();

            Told told = rig.submit(7, 3);
            assertThat(rig.turn()).as("two up to the wrap, one waits").isEqualTo(1);
            rig.clock.addAndGet(DELAY);
            rig.turn();

            assertThat(rig.backend.counts()).containsExactly(2, 1);
            told.assertAnswered();
        }
    }

    @Test
    void shouldWaitForAnInstanceWhenAllAreBusy() {
        try (Rig rig = new Rig(new BatchPolicy(16, 2, List.of(), DELAY), 16, 2)) {
            rig.backend.later = true;
            for (int i = 0; i < 6; i++) {
                rig.submit(i, 1);
            }
            assertThat(rig.turn()).isEqualTo(2);
            assertThat(rig.lane.hasWork()).isFalse();
            assertThat(rig.lane.watch()).as("nobody could run them").isEqualTo(BatchPolicy.NEVER);
            rig.agentParks();

            rig.backend.complete(rig.lane, rig.backend.pending.peek());

            assertThat(rig.agentIsWoken()).isTrue();
            assertThat(rig.lane.hasWork()).isTrue();
            while (!rig.backend.pending.isEmpty() || rig.turn() > 0) {
                rig.backend.complete(rig.lane, rig.backend.pending.peek());
            }
            rig.assertConserved();
        }
    }

    @Test
    void shouldWakeOneAgentPerBatchWhenRowsWait() {
        try (Rig rig = rig(8)) {
            rig.agentParks();
            rig.submit(1, 1);
            assertThat(rig.agentIsWoken()).as("until when to park").isTrue();
            rig.agentParks();
            assertThat(rig.lane.watch()).isEqualTo(1000 + DELAY);
            rig.clock.addAndGet(5);
            rig.submit(2, 1);
            assertThat(rig.agentIsWoken()).as("it knows").isFalse();
            rig.submit(3, 6);
            assertThat(rig.agentIsWoken()).as("the batch is full").isTrue();
            rig.turn();
            rig.lane.unwatch();
            rig.agentParks();
            rig.submit(9, 1);
            assertThat(rig.agentIsWoken()).as("the next batch").isTrue();
        }
    }

    @Test
    void shouldWakeAnAgentAgainWhenADeadlineIsNearerThanItKnows() {
        try (Rig rig = rig(8)) {
            for (int i = 0; i < 20; i++) {
                rig.lane.cost().observe(8, 50_000);
            }
            rig.submit(1, 1);
            rig.agentParks();
            rig.lane.watch();
            submitWithin(rig, 2, 2 * DELAY);
            assertThat(rig.agentIsWoken()).isFalse();
            submitWithin(rig, 2, DELAY / 2);
            assertThat(rig.agentIsWoken()).isTrue();
        }
    }

    @Test
    void shouldNotHoldAnEventLoopWhenRowsWait() {
        try (Rig rig = rig(4)) {
            for (int i = 0; i < 20; i++) {
                rig.lane.cost().observe(4, 400);
                rig.lane.cost().observe(1, 100);
            }
            Turner turner = new Turner(50_000);
            List<Told> told = new ArrayList<>();
            rig.agentParks();
            for (int i = 0; i < 5; i++) {
                Told next = new Told(rig.call(), i, 1);
                next.admission = turner.submit(next.call, next);
                told.add(next);
                turner.turn();
                assertThat(rig.backend.started).hasSize(i < 3 ? 0 : 1);
            }
            assertThat(rig.agentIsWoken()).isTrue();
            assertThat(rig.backend.counts()).containsExactly(4);
            told.subList(0, 4).forEach(Told::assertAnswered);
            assertThat(told.getLast().isOpen()).isTrue();
        }
    }

    @Test
    void shouldLeaveABatchToAgentsWhenTheBudgetPaysForAPartOfIt() {
        try (Rig rig = rig(8)) {
            for (int i = 0; i < 50; i++) {
                rig.lane.cost().observe(1, 1100);
                rig.lane.cost().observe(8, 1000 + 8 * 100);
            }
            Told told = rig.submit(0, 8);
            rig.agentParks();
            assertThat(rig.lane.turn(null, 1500, 10)).isZero();
            rig.lane.handOver();
            assertThat(rig.agentIsWoken()).isTrue();
            assertThat(rig.turn()).isEqualTo(1);
            assertThat(rig.backend.counts()).containsExactly(8);
            told.assertAnswered();
        }
    }

    /// The only test here with threads: nobody but a parked agent can answer.
    @Test
    void shouldAnswerALonelyRowWhenAnAgentKeepsTheTime() {
        BatchPolicy policy = new BatchPolicy(16, 8, List.of(), DELAY);
        try (Rig rig = new Rig(policy, 16, 1)) {
            rig.realTime();
            rig.agents.add(rig.lane);
            rig.agents.start();
            for (int i = 0; i < 20; i++) {
                CompletableFuture<Outcome> next = new CompletableFuture<>();
                Call call = rig.call();
                call.input(0).setFloat(0, i);
                assertThat(call.submit((_, outcome) -> next.complete(outcome))).isEqualTo(Outcome.OK);
                assertThat(next.join()).isEqualTo(Outcome.OK);
            }
            assertThat(rig.backend.counts()).hasSize(20).containsOnly(1);
            rig.agents.close();
        }
    }
}
