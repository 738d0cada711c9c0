// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.plan.LaneSpec;
import dev.millrace.runtime.Rig.Told;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PriorityTest {
    private final List<String> order = new ArrayList<>();

    private Told submit(Rig rig, int priority) {
        Call call = rig.call().priority(priority);
        call.rows(1).input(0).setFloat(0, priority);
        Told told = new Told(call, priority, 1);
        told.admission = call.submit((ended, outcome) -> {
            told.completed(ended, outcome);
            order.add(String.valueOf(priority));
        });
        return told;
    }

    @Test
    void shouldRunTheHigherPriorityFirst() {
        try (Rig rig = Rig.withPriorities(3, 1, 8, 1)) {
            submit(rig, 3);
            submit(rig, 2);
            submit(rig, 1);
            submit(rig, 3);
            submit(rig, 1);

            rig.turn();

            assertThat(order).containsExactly("1", "1", "2", "3", "3");
            rig.assertConserved();
        }
    }

    @Test
    void shouldQueueEachPriorityAsItsPolicySays() {
        LaneSpec.Queue high = new LaneSpec.Queue(2, 1000);
        LaneSpec.Queue low = new LaneSpec.Queue(8, Call.NO_TIMEOUT);
        try (Rig rig = Rig.withQueues(high, low)) {
            Told first = submit(rig, 1);
            Told second = submit(rig, 1);
            assertThat(submit(rig, 1).admission).isEqualTo(Outcome.OVERLOADED);
            Call large = rig.call().priority(1).rows(3);
            assertThat(large.submit((_, _) -> {})).isEqualTo(Outcome.TOO_LARGE);
            assertThat(large.message())
                    .isEqualTo("3 rows in one request, at most 2 fit into the queue of model 'fake' version 3");
            Told patient = submit(rig, 2);
            assertThat(rig.call().priority(2).rows(7).submit((_, _) -> {})).isEqualTo(Outcome.OK);
            assertThat(submit(rig, 2).admission).isEqualTo(Outcome.OVERLOADED);

            rig.clock.addAndGet(1001);
            rig.sweeper.sweep();
            rig.turn();

            first.assertEnded(Outcome.EXPIRED);
            second.assertEnded(Outcome.EXPIRED);
            patient.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldTakeTheDefaultWhenNoneIsGivenOrThereIsNoSuch() {
        try (Rig rig = Rig.withPriorities(2, 1, 8, 1)) {
            submit(rig, 0);
            submit(rig, 7);
            submit(rig, -1);
            submit(rig, 2);
            submit(rig, 1);

            rig.turn();

            assertThat(order).containsExactly("1", "0", "7", "-1", "2");
        }
    }

    @Test
    void shouldTakeAnyPriorityForTheOnlyOne() {
        try (Rig rig = new Rig(8, 8, 1)) {
            submit(rig, 2);
            submit(rig, 1);
            rig.turn();
            assertThat(order).containsExactly("2", "1");
        }
    }

    @Test
    void shouldNotLetHigherPrioritiesStarveLowerOnes() {
        try (Rig rig = Rig.withPriorities(3, 1, 64, 1)) {
            submit(rig, 3);
            submit(rig, 2);
            for (int i = 0; i < 40; i++) {
                submit(rig, 1);
                rig.lane.turn(null, Rig.ENOUGH, 1);
            }

            assertThat(order.indexOf("3")).as("the lowest").isEqualTo(Lane.MOST_PASSED);
            assertThat(order.indexOf("2")).as("the middle one").isEqualTo(Lane.MOST_PASSED + 1);
            rig.turn();
            rig.assertConserved();
        }
    }

    @Test
    void shouldGiveALowerPriorityItsShareWhenBothAlwaysWait() {
        try (Rig rig = Rig.withPriorities(2, 1, 256, 1)) {
            for (int i = 0; i < 200; i++) {
                submit(rig, 1);
                submit(rig, 2);
            }
            for (int i = 0; i < 90; i++) {
                rig.lane.turn(null, Rig.ENOUGH, 1);
            }

            assertThat(order.stream().filter("2"::equals)).hasSize(90 / (Lane.MOST_PASSED + 1));
            rig.turn();
            rig.assertConserved();
        }
    }

    @Test
    void shouldHaveAQueueForEachPriority() {
        try (Rig rig = Rig.withPriorities(2, 4, 4, 1)) {
            for (int i = 0; i < 4; i++) {
                assertThat(submit(rig, 2).admission).isEqualTo(Outcome.OK);
            }
            assertThat(submit(rig, 2).admission).isEqualTo(Outcome.OVERLOADED);
            for (int i = 0; i < 4; i++) {
                assertThat(submit(rig, 1).admission).isEqualTo(Outcome.OK);
            }
            assertThat(rig.lane.statistics().queued()).isEqualTo(8);

            rig.turn();

            assertThat(rig.backend.started)
                    .containsExactly(new FakeBackend.Started(0, 0, 4), new FakeBackend.Started(0, 4, 4));
            rig.assertConserved();
        }
    }
}
