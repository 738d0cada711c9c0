// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Rig.Told;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InstancesTest {
    @Test
    void shouldRunSeveralSlicesAtOnceWhenThereAreInstances() {
        try (Rig rig = new Rig(2, 16, 3)) {
            rig.backend.later = true;
            for (int i = 0; i < 8; i++) {
                rig.submit(i, 1);
            }

            assertThat(rig.turn()).isEqualTo(3);

            assertThat(rig.backend.started)
                    .containsExactly(
                            new FakeBackend.Started(0, 0, 2),
                            new FakeBackend.Started(1, 2, 2),
                            new FakeBackend.Started(2, 4, 2));
            assertThat(rig.lane.hasWork()).as("all instances are busy").isFalse();
            finishAll(rig);
        }
    }

    @Test
    void shouldFreeSlotsInOrderWhenSlicesEndOutOfOrder() {
        try (Rig rig = new Rig(2, 8, 4)) {
            rig.backend.later = true;
            List<Told> told = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                told.add(rig.submit(10 * i, 2));
            }
            rig.turn();
            List<FakeBackend.Started> slices = List.copyOf(rig.backend.pending);
            assertThat(slices).hasSize(4);

            rig.backend.complete(rig.lane, slices.get(3));
            rig.backend.complete(rig.lane, slices.get(1));
            told.get(3).assertAnswered();
            told.get(1).assertAnswered();
            assertThat(rig.submit(90, 1).admission)
                    .as("the first slice still runs")
                    .isEqualTo(Outcome.OVERLOADED);

            rig.backend.complete(rig.lane, slices.get(0));
            assertThat(rig.submit(91, 4).admission).as("two slices are free").isEqualTo(Outcome.OK);
            assertThat(rig.submit(92, 1).admission).as("the third still runs").isEqualTo(Outcome.OVERLOADED);

            rig.backend.complete(rig.lane, slices.get(2));
            assertThat(rig.submit(93, 4).admission).isEqualTo(Outcome.OK);
            told.forEach(Told::assertAnswered);
            finishAll(rig);
        }
    }

    @Test
    void shouldServeMoreThanALapWhenOnlyOneInstanceIsEverUsed() {
        try (Rig rig = new Rig(1, 4, 8)) {
            for (int i = 0; i < 20; i++) {
                Told told = rig.submit(i, 1);
                rig.turn();
                told.assertAnswered();
            }
        }
    }

    @Test
    void shouldAnswerASplitRequestOnceWhenItsSlicesEndInAnyOrder() {
        try (Rig rig = new Rig(2, 8, 3)) {
            rig.backend.later = true;
            Told told = rig.submit(1, 6);
            rig.turn();
            List<FakeBackend.Started> slices = List.copyOf(rig.backend.pending);

            rig.backend.complete(rig.lane, slices.get(2));
            rig.backend.complete(rig.lane, slices.get(0));
            assertThat(told.isOpen()).isTrue();
            rig.backend.complete(rig.lane, slices.get(1));

            told.assertAnswered();
        }
    }

    @Test
    void shouldFailASplitRequestOnceWhenOneOfItsSlicesFails() {
        try (Rig rig = new Rig(1, 8, 3)) {
            rig.backend.later = true;
            Told told = rig.submit(1, 3);
            rig.turn();
            List<FakeBackend.Started> slices = List.copyOf(rig.backend.pending);

            rig.backend.complete(rig.lane, slices.get(2));
            rig.lane.completed(slices.get(1).instance(), new IllegalStateException("broken"));
            told.assertEnded(Outcome.FAILED);
            rig.lane.completed(slices.get(0).instance(), new IllegalStateException("broken, too"));

            told.assertEnded(Outcome.FAILED);
            rig.assertConserved();
        }
    }

    @Test
    void shouldAnswerWhenAnotherThreadCompletes() throws Exception {
        try (Rig rig = new Rig(4, 8, 1)) {
            rig.backend.later = true;
            List<Told> told = List.of(rig.submit(1, 2), rig.submit(7, 1));
            rig.turn();
            FakeBackend.Started slice = rig.backend.pending.peek();

            Thread device = Thread.ofPlatform().start(() -> rig.backend.complete(rig.lane, slice));
            device.join();

            told.forEach(Told::assertAnswered);
            assertThat(rig.lane.isIdle()).isTrue();
            rig.assertConserved();
        }
    }

    @Test
    void shouldGoOnWhenABackendCompletesBeforeStartReturns() {
        try (Rig rig = new Rig(4, 8, 1)) {
            rig.backend.later = true;
            rig.backend.onStart = slice -> {
                rig.backend.compute(slice);
                rig.lane.completed(slice.instance(), null);
            };
            for (int i = 0; i < 20; i++) {
                Told told = rig.submit(i, 1);
                rig.turn();
                told.assertAnswered();
                rig.backend.pending.clear();
            }
            assertThat(rig.lane.isIdle()).isTrue();
        }
    }

    @Test
    void shouldUseSixtyFourInstancesWhenThereAreSoMany() {
        try (Rig rig = new Rig(1, 128, 64)) {
            rig.backend.later = true;
            rig.submit(0, 100);

            assertThat(rig.turn()).isEqualTo(64);

            assertThat(rig.lane.hasWork()).isFalse();
            finishAll(rig);
        }
    }

    private static void finishAll(Rig rig) {
        do {
            while (!rig.backend.pending.isEmpty()) {
                rig.backend.complete(rig.lane, rig.backend.pending.peek());
            }
        } while (rig.turn() > 0);
        rig.assertConserved();
    }
}
