// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorBackend;
import dev.millrace.backend.TensorSet;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.SessionSettings;
import dev.millrace.plan.LaneSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A lane whose requests bring their own tensors, over a real model: y = 2x, total = sum(y).
class TensorLaneTest {
    private final long before = NativeMemory.used();
    private final long callsBefore = NativeMemory.used(MemoryTag.CALL);
    private final OnnxModel model = OnnxModel.load(TestModels.file("variable_shapes"), SessionSettings.DEFAULT);
    private final AtomicLong clock = new AtomicLong();
    private final Sweeper sweeper = new Sweeper(clock::get);
    private final List<Outcome> told = new ArrayList<>();
    private Consumer<Integer> onStart = _ -> {};
    private final Lane lane = lane(1);

    private Lane lane(int instances) {
        LaneSpec spec = new LaneSpec("shapes", 1, model.signature(), Batching.Kind.NONE, 1, 4, instances);
        TensorBackend tensors =
                new TensorBackend(model.session(), 4, instances, () -> new TensorSet(model.signature()));
        Backend hooked = new Backend() {
            @Override
            public TensorSet load(TensorSet set, int firstRow, int firstSlot, int count) {
                return tensors.load(set, firstRow, firstSlot, count);
            }

            @Override
            public boolean start(int instance, int firstSlot, int count) {
                onStart.accept(instance);
                return tensors.start(instance, firstSlot, count);
            }

            @Override
            public TensorSet unload(TensorSet set, int firstRow, int firstSlot, int count) {
                return tensors.unload(set, firstRow, firstSlot, count);
            }

            @Override
            public void release(int firstSlot, int count) {
                tensors.release(firstSlot, count);
            }

            @Override
            public TensorSet spare() {
                return tensors.spare();
            }

            @Override
            public long running(int instance) {
                return tensors.running(instance);
            }

            @Override
            public boolean terminate(int instance, long run) {
                return tensors.terminate(instance, run);
            }

            @Override
            public void close() {
                tensors.close();
            }
        };
        Lane made = new Lane(spec, () -> null, true, hooked, new AgentPool(1), sweeper, clock::get);
        sweeper.add(made);
        return made;
    }

    private static void fill(Call call, float... values) {
        call.input("x").reshape(1, values.length).putFloats(values);
    }

    private Outcome submit(Call call) {
        return call.submit((_, outcome) -> told.add(outcome));
    }

    private void turn() {
        lane.turn(null, Rig.ENOUGH, Integer.MAX_VALUE);
    }

    @AfterEach
    void assertNothingLeaked() {
        lane.close();
        model.close();
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @Test
    void shouldGiveTheTensorsBackWhenAnswered() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            fill(call, 1, 2, 3);
            Tensor input = call.input(0);

            assertThat(call.run()).isEqualTo(Outcome.OK);

            assertThat(call.input(0)).isSameAs(input);
            assertThat(call.output("y").shape()).containsExactly(1, 3);
            assertThat(call.output("y").getFloat(2)).isEqualTo(6);
            assertThat(call.output("total").getFloat(0)).isEqualTo(12);
            fill(call, 5);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.output("total").getFloat(0)).isEqualTo(10);
        }
    }

    @Test
    void shouldRunEachRequestAloneWhenSeveralWait() {
        try (Call one = new Call(lane, Rig.ENOUGH);
                Call two = new Call(lane, Rig.ENOUGH)) {
            fill(one, 1, 2);
            fill(two, 10, 20, 30);
            submit(one);
            submit(two);
            turn();
            assertThat(told).containsExactly(Outcome.OK, Outcome.OK);
            assertThat(one.output("total").getFloat(0)).isEqualTo(6);
            assertThat(two.output("total").getFloat(0)).isEqualTo(120);
            assertThat(lane.statistics().batches()).isEqualTo(2);
        }
    }

    @Test
    void shouldTakeTheTensorsAwayWhenARequestIsCancelledBeforeItsRun() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            fill(call, 1, 2, 3);
            Tensor abandoned = call.input(0);
            submit(call);
            call.cancel();
            assertThat(call.input(0)).as("a new tensor").isNotSameAs(abandoned);
            assertThat(abandoned.data().byteSize()).as("the slot's still").isEqualTo(12);

            turn();

            assertThat(abandoned.data().byteSize())
                    .as("taken away with the slot")
                    .isZero();
            assertThat(told).containsExactly(Outcome.CANCELLED);
            assertThat(lane.statistics().batches()).isZero();
        }
    }

    @Test
    void shouldKeepTheTensorsUntilTheRunEndsWhenARequestExpiresDuringIt() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            fill(call, 1, 2, 3);
            Tensor abandoned = call.input(0);
            call.timeoutNanos(10);
            onStart = _ -> {
                clock.set(100);
                sweeper.sweep();
                assertThat(told).containsExactly(Outcome.EXPIRED);
                assertThat(abandoned.data().byteSize()).isEqualTo(12);
                onStart = _ -> {};
                call.timeout(null);
                fill(call, 40);
                submit(call);
            };
            submit(call);

            turn();

            assertThat(told).containsExactly(Outcome.EXPIRED, Outcome.OK);
            assertThat(abandoned.data().byteSize()).isZero();
            assertThat(call.output("total").getFloat(0)).isEqualTo(80);
        }
    }

    @Test
    void shouldKeepTheMemoryForTheNextCallWhenACallIsClosedInFlight() {
        Call call = new Call(lane, Rig.ENOUGH);
        fill(call, 1, 2, 3);
        submit(call);

        call.close();

        assertThat(told).containsExactly(Outcome.CANCELLED);
        assertThat(NativeMemory.used(MemoryTag.CALL)).as("the slot's").isEqualTo(callsBefore + 12);
        turn();
        assertThat(NativeMemory.used(MemoryTag.CALL)).as("spare").isEqualTo(callsBefore + 12);
        try (Call next = new Call(lane, Rig.ENOUGH)) {
            assertThat(next.input(0).hasShape()).isFalse();
            fill(next, 4, 5, 6);
            assertThat(NativeMemory.used(MemoryTag.CALL)).as("taken over").isEqualTo(callsBefore + 12);
            assertThat(next.run()).isEqualTo(Outcome.OK);
            assertThat(next.output("total").getFloat(0)).isEqualTo(30);
        }
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(callsBefore);
    }

    @Test
    void shouldFreeTheTensorsWhenTheLaneIsClosedWithThemWaiting() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            fill(call, 1, 2, 3);
            submit(call);
            lane.refuse();
            lane.abandon();
            assertThat(told).containsExactly(Outcome.UNAVAILABLE);
            lane.close();
            assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(callsBefore);
            lane.close();
        }
    }

    @Test
    void shouldKeepTheCallsTensorsWhenItIsRefused() {
        List<Call> calls = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Call call = new Call(lane, Rig.ENOUGH);
            calls.add(call);
            fill(call, i);
            Tensor tensor = call.input(0);
            assertThat(submit(call)).isEqualTo(i < 4 ? Outcome.OK : Outcome.OVERLOADED);
            if (i == 4) {
                assertThat(call.input(0)).isSameAs(tensor);
            }
        }
        turn();
        assertThat(calls.getLast().run()).isEqualTo(Outcome.OK);
        assertThat(calls.getLast().output("total").getFloat(0)).isEqualTo(8);
        calls.forEach(Call::close);
    }

    @Test
    void shouldFailAndGoOnWhenARunFails() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            fill(call, 1);
            onStart = _ -> {
                throw new IllegalStateException("broken");
            };
            assertThat(call.run()).isEqualTo(Outcome.FAILED);
            assertThat(call.message()).contains("broken");
            onStart = _ -> {};
            fill(call, 2);
            assertThat(call.run()).isEqualTo(Outcome.OK);
        }
    }

    @Test
    void shouldRefuseASecondSubmissionWithoutALeakWhenInFlight() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            fill(call, 1);
            submit(call);
            assertThatThrownBy(() -> submit(call)).hasMessage("the call is still in flight");
            assertThatThrownBy(call::run).hasMessage("the call is still in flight");
            turn();
            assertThat(told).containsExactly(Outcome.OK);
            assertThat(call.output("total").getFloat(0)).isEqualTo(2);
        }
    }

    @Test
    void shouldSayWhatIsMissingWhenAnInputHasNoShape() {
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            assertThat(call.run()).isEqualTo(Outcome.INVALID);
            assertThat(call.message()).isEqualTo("input 'x' is missing, expected FP32 of shape [-1, -1]");
            call.input(0).reshape(2, 2, 2);
            assertThat(call.run()).isEqualTo(Outcome.INVALID);
            assertThat(call.message()).isEqualTo("input 'x' has shape [2, 2, 2], expected [-1, -1]");
        }
    }
}
