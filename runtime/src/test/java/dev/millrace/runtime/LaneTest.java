// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.runtime.Rig.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LaneTest {
    private static final float POISON = 5000;
    private static final int MAX_DELAY = 40;

    @Test
    void shouldRunOneBatchWhenSeveralRequestsWait() {
        try (Rig rig = new Rig(8, 16, 1)) {
            List<Told> told = List.of(rig.submit(1, 1), rig.submit(5, 3), rig.submit(9, 1));

            assertThat(rig.turn()).isEqualTo(1);

            assertThat(rig.backend.counts()).containsExactly(5);
            told.forEach(Told::assertAnswered);
            assertThat(rig.lane.statistics().rows()).isEqualTo(5);
            assertThat(rig.lane.statistics().batches()).isEqualTo(1);
            rig.assertConserved();
        }
    }

    @Test
    void shouldStopASliceAtTheWrapWhenRowsLieOnBothSides() {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.advance(6);
            List<Told> told = List.of(rig.submit(1, 1), rig.submit(2, 1), rig.submit(3, 1), rig.submit(4, 1));

            rig.turn();

            assertThat(rig.backend.started)
                    .containsExactly(new FakeBackend.Started(0, 6, 2), new FakeBackend.Started(0, 0, 2));
            told.forEach(Told::assertAnswered);
        }
    }

    @Test
    void shouldPutARequestTogetherWhenItStraddlesTheWrap() {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.advance(5);

            Told told = rig.submit(10, 7);
            rig.turn();

            assertThat(rig.backend.counts()).containsExactly(3, 4);
            told.assertAnswered();
        }
    }

    @Test
    void shouldSplitARequestWhenItIsLargerThanTheLargestBatch() {
        try (Rig rig = new Rig(4, 16, 1)) {
            Told before = rig.submit(100, 2);
            Told large = rig.submit(1, 11);
            Told after = rig.submit(200, 2);

            rig.turn();

            assertThat(rig.backend.counts()).containsExactly(4, 4, 4, 3);
            before.assertAnswered();
            large.assertAnswered();
            after.assertAnswered();
        }
    }

    @Test
    void shouldAnswerOnceWhenOnlyAllSlicesOfARequestAreDone() {
        try (Rig rig = new Rig(4, 16, 1)) {
            Told large = rig.submit(1, 10);

            assertThat(rig.lane.turn(null, Rig.ENOUGH, 2)).isEqualTo(2);
            assertThat(large.isOpen()).isTrue();

            rig.turn();
            large.assertAnswered();
        }
    }

    @Test
    void shouldRefuseAsOverloadedWhenTheRingIsFullAndRecover() {
        try (Rig rig = new Rig(8, 8, 1)) {
            List<Told> told = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                told.add(rig.submit(i, 1));
            }

            Told refused = rig.submit(50, 1);
            assertThat(refused.admission).isEqualTo(Outcome.OVERLOADED);
            assertThat(refused.call.message()).isEqualTo("the queue of model 'fake' version 3 is full (8 rows)");
            assertThat(rig.lane.statistics().queued()).isEqualTo(8);

            rig.turn();
            told.forEach(Told::assertAnswered);
            assertThat(refused.outcomes).isEmpty();
            Told again = rig.submit(refused.call, 51, 8);
            rig.turn();
            again.assertAnswered();
            assertThat(rig.lane.statistics().refused()).containsEntry(Outcome.OVERLOADED, 1L);
            rig.assertConserved();
        }
    }

    @Test
    void shouldHaveRoomForTheNextRequestWhenOneIsTold() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Call next = rig.call();
            next.input(0).reshape(8, 1);
            List<Outcome> admissions = new ArrayList<>();
            for (int rows : new int[] {1, 4, 8}) {
                Call call = rig.call();
                call.input(0).reshape(rows, 1);
                call.submit((_, _) -> {
                    admissions.add(next.submit((_, _) -> {}));
                    next.cancel();
                });

                rig.turn();
            }

            assertThat(admissions).containsExactly(Outcome.OK, Outcome.OK, Outcome.OK);
        }
    }

    @Test
    void shouldRefuseAsTooLargeWhenARequestHasMoreRowsThanTheRing() {
        try (Rig rig = new Rig(4, 8, 1)) {
            Told told = rig.submit(1, 9);

            assertThat(told.admission).isEqualTo(Outcome.TOO_LARGE);
            assertThat(told.call.outcome()).isEqualTo(Outcome.TOO_LARGE);
            assertThat(told.call.message())
                    .isEqualTo("9 rows in one request, at most 8 fit into the queue of model 'fake' version 3");
            Told fits = rig.submit(told.call, 1, 8);
            rig.turn();
            fits.assertAnswered();
        }
    }

    @Test
    void shouldNotRunDeadRowsWhenTheyComeFirst() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told dead = rig.submit(1, 3);
            Told living = rig.submit(4, 2);
            assertThat(dead.call.cancel()).isTrue();

            rig.turn();

            assertThat(rig.backend.started).containsExactly(new FakeBackend.Started(0, 3, 2));
            dead.assertEnded(Outcome.CANCELLED);
            living.assertAnswered();
            assertThat(rig.lane.statistics().rows()).isEqualTo(2);
            rig.assertConserved();
        }
    }

    @Test
    void shouldRunOverDeadRowsWhenTheyLieInsideASlice() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told first = rig.submit(1, 1);
            Told dead = rig.submit(2, 2);
            Told last = rig.submit(4, 1);
            dead.call.cancel();

            rig.turn();

            assertThat(rig.backend.counts()).containsExactly(4);
            first.assertAnswered();
            dead.assertEnded(Outcome.CANCELLED);
            last.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldGoOnWhenAWholeLapWasDead() {
        try (Rig rig = new Rig(8, 8, 1)) {
            for (int lap = 0; lap < 3; lap++) {
                Told dead = rig.submit(1, 8);
                dead.call.cancel();
                assertThat(rig.turn()).isZero();
                dead.assertEnded(Outcome.CANCELLED);
            }
            Told living = rig.submit(1, 8);
            rig.turn();
            living.assertAnswered();
        }
    }

    @Test
    void shouldNotTouchTheAnswerWhenARequestEndedDuringItsRun() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told told = rig.submit(1, 1);
            told.call.output(0).setFloat(0, -7);
            rig.backend.onStart = _ -> told.call.cancel();

            rig.turn();

            told.assertEnded(Outcome.CANCELLED);
            assertThat(told.call.output(0).getFloat(0)).isEqualTo(-7);
            assertThat(told.call.cancel()).isFalse();
        }
    }

    @Test
    void shouldNotTouchAReusedCallWhenItsOldSliceEnds() {
        try (Rig rig = new Rig(8, 8, 2)) {
            rig.backend.later = true;
            Told old = rig.submit(1, 2);
            rig.turn();
            FakeBackend.Started oldSlice = rig.backend.pending.peek();
            old.call.cancel();

            Told present = rig.submit(old.call, 100, 2);
            rig.turn();
            FakeBackend.Started presentSlice = rig.backend.pending.peekLast();
            rig.backend.complete(rig.lane, oldSlice);

            old.assertEnded(Outcome.CANCELLED);
            assertThat(present.isOpen()).isTrue();
            rig.backend.complete(rig.lane, presentSlice);
            present.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldNotFailAReusedCallWhenItsOldSliceFails() {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.backend.later = true;
            Told old = rig.submit(1, 1);
            rig.turn();
            FakeBackend.Started slice = rig.backend.pending.remove();
            old.call.cancel();
            Told present = rig.submit(old.call, 2, 1);

            rig.lane.completed(slice.instance(), new IllegalStateException("broken"));

            assertThat(present.isOpen()).isTrue();
            rig.backend.later = false;
            rig.turn();
            present.assertAnswered();
        }
    }

    @Test
    void shouldFailOneRequestWhenItsAnswerCannotBeCopied() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told told = rig.submit(1, 1);
            rig.backend.unloadFails = true;
            rig.turn();
            told.assertEnded(Outcome.FAILED);

            rig.backend.unloadFails = false;
            Told next = rig.submit(told.call, 2, 8);
            rig.turn();
            next.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldGoOnWhenACompletionThrows() {
        try (Rig rig = new Rig(8, 8, 1);
                Call call = rig.call()) {
            Outcome admission = call.submit((_, _) -> {
                throw new IllegalStateException("in a completion");
            });
            Told next = rig.submit(1, 1);

            rig.turn();

            assertThat(admission).isEqualTo(Outcome.OK);
            assertThat(call.outcome()).isEqualTo(Outcome.OK);
            next.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldAcceptASubmissionWhenItComesFromACompletion() {
        try (Rig rig = new Rig(8, 4, 1);
                Call call = rig.call()) {
            List<Outcome> outcomes = new ArrayList<>();
            Completion again = new Completion() {
                @Override
                public void completed(Call ended, Outcome outcome) {
                    outcomes.add(outcome);
                    if (outcomes.size() < 20) {
                        assertThat(ended.submit(this)).isEqualTo(Outcome.OK);
                    }
                }
            };
            call.submit(again);

            rig.turn();

            assertThat(outcomes).hasSize(20).containsOnly(Outcome.OK);
        }
    }

    @Test
    void shouldTakeNoMoreThanTheBudgetAllowsWhenTheCostIsKnown() {
        try (Rig rig = new Rig(64, 64, 1)) {
            for (int i = 0; i < 50; i++) {
                rig.lane.cost().observe(1, 1100);
                rig.lane.cost().observe(64, 1000 + 64 * 100);
            }
            Told told = rig.submit(0, 30);

            assertThat(rig.lane.turn(null, 2050, 1)).isEqualTo(1);
            assertThat(rig.backend.counts()).containsExactly(10);
            assertThat(rig.lane.turn(null, 1, 1)).isEqualTo(1);
            assertThat(rig.backend.counts()).containsExactly(10, 1);
            rig.turn();
            told.assertAnswered();
        }
    }

    @Test
    void shouldBeLightOnlyWithinTheBudgetWhenTheCostIsKnown() {
        try (Rig rig = new Rig(8, 8, 1)) {
            assertThat(rig.lane.isLight(1_000_000_000)).as("nothing known yet").isFalse();
            assertThat(rig.lane.isLight(0)).as("no budget").isFalse();
            for (int i = 0; i < 20; i++) {
                rig.lane.cost().observe(1, 5000);
            }
            assertThat(rig.lane.isLight(4000)).isFalse();
            assertThat(rig.lane.isLight(6000)).isTrue();
        }
    }

    @Test
    void shouldKeepAccountsWhenRequestsComeAtRandom() {
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try {
                randomTraffic(random);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static void randomTraffic(SplittableRandom random) {
        int capacity = 1 << random.nextInt(1, 6);
        try (Rig rig = randomRig(random, capacity)) {
            rig.backend.later = random.nextBoolean();
            rig.backend.poison = random.nextBoolean() ? POISON : Float.NaN;
            List<Told> all = new ArrayList<>();
            for (int step = 0; step < 300; step++) {
                switch (random.nextInt(6)) {
                    case 0, 1 -> {
                        Call call = rig.call().priority(random.nextInt(5));
                        float first = random.nextInt(40) == 0 ? POISON : random.nextInt(1000);
                        all.add(rig.submit(call, first, random.nextInt(1, capacity + 1)));
                    }
                    case 2 -> rig.lane.turn(null, Rig.ENOUGH, 1);
                    case 3 -> completeOne(rig, random);
                    case 4 -> cancelOne(all, random);
                    default -> expireOne(rig, all, random);
                }
            }
            do {
                while (!rig.backend.pending.isEmpty()) {
                    completeOne(rig, random);
                }
                rig.clock.addAndGet(MAX_DELAY);
            } while (rig.turn() > 0);
            for (Told told : all) {
                assertThat(told.outcomes).hasSize(told.admission == Outcome.OK ? 1 : 0);
                if (told.outcomes.contains(Outcome.OK)) {
                    told.assertAnswered();
                }
            }
            rig.assertConserved();
            Told whole = rig.submit(1, capacity);
            assertThat(whole.admission).as("every slot is free").isEqualTo(Outcome.OK);
        }
    }

    private static Rig randomRig(SplittableRandom random, int capacity) {
        int maxBatch = random.nextInt(1, capacity + 1);
        int instances = random.nextInt(1, 5);
        if (random.nextBoolean()) {
            return Rig.withPriorities(random.nextInt(1, 4), maxBatch, capacity, instances);
        }
        List<Integer> preferred = random.nextBoolean() ? List.of() : List.of(random.nextInt(1, maxBatch + 1));
        return new Rig(new BatchPolicy(capacity, maxBatch, preferred, random.nextInt(MAX_DELAY)), capacity, instances);
    }

    private static void completeOne(Rig rig, SplittableRandom random) {
        List<FakeBackend.Started> pending = List.copyOf(rig.backend.pending);
        if (!pending.isEmpty()) {
            rig.backend.complete(rig.lane, pending.get(random.nextInt(pending.size())));
        }
    }

    private static void cancelOne(List<Told> all, SplittableRandom random) {
        if (!all.isEmpty()) {
            all.get(random.nextInt(all.size())).call.cancel();
        }
    }

    private static void expireOne(Rig rig, List<Told> all, SplittableRandom random) {
        Call call = rig.call().timeoutNanos(10);
        Told told = new Told(call, random.nextInt(100), 1);
        told.admission = call.submit(told);
        all.add(told);
        rig.clock.addAndGet(random.nextInt(20));
        if (random.nextBoolean()) {
            rig.sweeper.sweep();
        }
    }

    @Test
    void shouldRefuseALaneSpecWhenItsNumbersMakeNoSense() {
        assertThatThrownBy(() -> new Rig(1, 3, 1).close()).hasMessage("capacity must be a power of two, was 3");
        assertThatThrownBy(() -> new Rig(0, 4, 1).close()).hasMessage("maxBatch 0, instances 1");
        assertThatThrownBy(() -> new Rig(1, 4, 65).close()).hasMessage("maxBatch 1, instances 65");
    }
}
