// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Rig.Told;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TurnerTest {
    private static Told submit(Turner turner, Call call, float first, int rows) {
        Told told = new Told(call, first, rows);
        told.admission = turner.submit(call, told);
        return told;
    }

    @Test
    void shouldMakeOneBatchWhenOneWakeUpBroughtSeveralRequests() {
        try (Rig rig = new Rig(16, 16, 1)) {
            Turner turner = new Turner(Rig.ENOUGH);
            List<Told> told = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                told.add(submit(turner, rig.call(), i, 1));
            }
            assertThat(turner.isPending()).isTrue();
            assertThat(rig.backend.started).as("nothing runs before the turn").isEmpty();

            turner.turn();

            assertThat(rig.backend.counts()).containsExactly(10);
            told.forEach(Told::assertAnswered);
            assertThat(turner.isPending()).isFalse();
            turner.turn();
            assertThat(rig.backend.counts()).containsExactly(10);
        }
    }

    @Test
    void shouldNotTouchTheLaneWhenTheRequestIsRefused() {
        try (Rig rig = new Rig(2, 2, 1)) {
            Turner turner = new Turner(Rig.ENOUGH);
            Told told = submit(turner, rig.call(), 1, 3);
            assertThat(told.admission).isEqualTo(Outcome.TOO_LARGE);
            assertThat(turner.isPending()).isFalse();
            turner.turn();
            assertThat(told.outcomes).isEmpty();
        }
    }

    @Test
    void shouldSpendOneBudgetWhenSeveralLanesWereTouched() {
        try (Rig first = new Rig(4, 16, 1);
                Rig second = new Rig(4, 16, 1)) {
            for (Rig rig : List.of(first, second)) {
                for (int i = 0; i < 30; i++) {
                    rig.lane.cost().observe(4, 400);
                    rig.lane.cost().observe(1, 100);
                }
            }
            // Both clocks are the first lane's: a run takes 400 on it.
            first.backend.onStart = _ -> first.clock.addAndGet(400);
            second.backend.onStart = _ -> second.clock.addAndGet(400);
            Turner turner = new Turner(900);
            List<Told> onFirst = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                onFirst.add(submit(turner, first.call(), i, 1));
            }
            Told onSecond = submit(turner, second.call(), 1, 1);

            turner.turn();

            assertThat(first.backend.counts())
                    .as("two full batches and what the rest pays for")
                    .containsExactly(4, 4, 1);
            assertThat(second.backend.counts())
                    .as("nothing is left of the budget")
                    .isEmpty();
            assertThat(onSecond.isOpen()).isTrue();
            assertThat(second.lane.hasWork()).isTrue();
            assertThat(turner.isPending()).isFalse();
            first.turn();
            second.turn();
            onFirst.forEach(Told::assertAnswered);
            onSecond.assertAnswered();
        }
    }

    @Test
    void shouldLeaveEverythingToAgentsWhenTheModelIsHeavy() {
        try (Rig rig = new Rig(4, 16, 1)) {
            for (int i = 0; i < 30; i++) {
                rig.lane.cost().observe(1, 100_000);
            }
            Turner turner = new Turner(50_000);
            Told told = submit(turner, rig.call(), 1, 1);
            turner.turn();
            assertThat(rig.backend.started).isEmpty();
            assertThat(told.isOpen()).isTrue();
        }
    }

    @Test
    void shouldRunWhatCompletionsSubmitWhenTheyDoSoInATurn() {
        try (Rig rig = new Rig(4, 16, 1)) {
            Turner turner = new Turner(Rig.ENOUGH);
            List<Outcome> outcomes = new ArrayList<>();
            Completion again = new Completion() {
                @Override
                public void completed(Call call, Outcome outcome) {
                    outcomes.add(outcome);
                    if (outcomes.size() < 30) {
                        assertThat(turner.submit(call, this)).isEqualTo(Outcome.OK);
                        turner.turn();
                    }
                }
            };
            turner.submit(rig.call(), again);

            turner.turn();

            assertThat(outcomes).hasSize(30).containsOnly(Outcome.OK);
            assertThat(turner.isPending()).isFalse();
            rig.assertConserved();
        }
    }

    @Test
    void shouldServeMoreLanesThanItStartsWithRoomFor() {
        List<Rig> rigs = new ArrayList<>();
        Turner turner = new Turner(Rig.ENOUGH);
        List<Told> told = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            rigs.add(new Rig(2, 2, 1));
            told.add(submit(turner, rigs.get(i).call(), i, 1));
        }
        turner.turn();
        told.forEach(Told::assertAnswered);
        rigs.forEach(Rig::close);
    }
}
