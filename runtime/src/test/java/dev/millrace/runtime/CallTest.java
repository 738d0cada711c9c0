// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.plan.LaneSpec;
import dev.millrace.runtime.Rig.Told;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CallTest {
    @TempDir
    Path temp;

    @Test
    void shouldRunOnTheCallersThreadWhenTheLaneIsIdle() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Call call = rig.call();
            call.input("x").setFloat(0, 20);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.output("y").getFloat(0)).isEqualTo(41);
            assertThat(call.message()).isEmpty();
            assertThat(call.model()).isEqualTo("fake");
            assertThat(call.version()).isEqualTo(3);
        }
    }

    @Test
    void shouldRunOthersRowsWithItsOwnWhenTheyWait() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told waiting = rig.submit(1, 2);
            Call call = rig.call();
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(rig.backend.counts()).containsExactly(3);
            waiting.assertAnswered();
        }
    }

    @Test
    void shouldNameWhatIsUnknownWhenAskedForIt() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Call call = rig.call();
            assertThatThrownBy(() -> call.input("z"))
                    .isInstanceOf(InferenceException.class)
                    .hasMessage("model 'fake' has no input 'z'")
                    .extracting(e -> ((InferenceException) e).outcome())
                    .isEqualTo(Outcome.INVALID);
            assertThatThrownBy(() -> call.output("x")).hasMessage("model 'fake' has no output 'x'");
        }
    }

    @Test
    void shouldGiveEveryOutputItsRowsWhenTheUserReshapedOne() {
        try (Millrace millrace = Millrace.open(TestModels.repository(temp, "two_inputs"));
                Call call = millrace.model("two_inputs").call()) {
            call.rows(3);
            assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
            call.output("flag").reshape(7);

            assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);

            assertThat(call.output("sum").shape()).containsExactly(3, 4);
            assertThat(call.output("flag").shape()).containsExactly(3, 1);
        }
    }

    @Test
    void shouldRefuseAsInvalidWhenAShapeIsWrong() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Call call = rig.call();
            call.input(0).reshape(2, 3);
            assertThat(call.run()).isEqualTo(Outcome.INVALID);
            assertThat(call.message()).isEqualTo("input 'x' has shape [2, 3], expected [-1, 1]");
            call.input(0).reshape(0, 1);
            assertThat(call.run()).isEqualTo(Outcome.INVALID);
            assertThat(call.message()).isEqualTo("input 'x' has 0 rows, expected at least 1");
            assertThat(rig.lane.statistics().refused()).containsEntry(Outcome.INVALID, 2L);
            assertThat(rig.lane.statistics().accepted()).isZero();
            call.input(0).reshape(2, 1);
            assertThat(call.run()).isEqualTo(Outcome.OK);
        }
    }

    @Test
    void shouldRefuseAsInvalidWhenInputsDifferInRows() {
        Signature two = new Signature(
                List.of(
                        new TensorSpec("a", DataType.FP32, List.of(-1L, 1L)),
                        new TensorSpec("b", DataType.FP32, List.of(-1L, 1L))),
                Rig.SIGNATURE.outputs());
        LaneSpec spec = new LaneSpec("two", 1, two, Batching.Kind.ROWS, 4, 4, 1);
        Lane lane =
                new Lane(spec, () -> null, true, new FakeBackend(4), new AgentPool(1), new Sweeper(() -> 0), () -> 0);
        try (Call call = new Call(lane, Rig.ENOUGH)) {
            call.input("b").rows(3);
            assertThat(call.run()).isEqualTo(Outcome.INVALID);
            assertThat(call.message()).isEqualTo("input 'b' has 3 rows, expected 1 as input 'a' has");
        }
    }

    @Test
    void shouldRepairAnOutputWhenItsOwnerClosedOrReshapedIt() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Call call = rig.call();
            call.output(0).close();
            call.input(0).setFloat(0, 1);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.output(0).getFloat(0)).isEqualTo(3);
            call.output(0).reshape(0);
            assertThat(call.rows(4).run()).isEqualTo(Outcome.OK);
            assertThat(call.output(0).shape()).containsExactly(4, 1);
        }
    }

    @Test
    void shouldReturnItsMemoryWhenClosed() {
        long before = NativeMemory.used();
        try (Rig rig = new Rig(8, 8, 1)) {
            Call call = rig.call();
            call.rows(5).run();
            assertThat(NativeMemory.used()).isGreaterThan(before);
            call.close();
            assertThat(NativeMemory.used()).isEqualTo(before);
            call.close();
        }
    }

    @Test
    void shouldBeCancelledWhenClosedInFlight() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told told = rig.submit(1, 1);
            told.call.close();
            told.assertEnded(Outcome.CANCELLED);
            rig.turn();
            told.assertEnded(Outcome.CANCELLED);
            rig.assertConserved();
        }
    }

    @Test
    void shouldRefuseWhenTheLaneIsClosed() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told waiting = rig.submit(1, 1);
            rig.lane.refuse();
            Told refused = rig.submit(2, 1);
            assertThat(refused.admission).isEqualTo(Outcome.UNAVAILABLE);
            assertThat(refused.call.message()).isEqualTo("model 'fake' version 3 is closed");
            assertThat(rig.lane.drain(Rig.ENOUGH)).isTrue();
            waiting.assertAnswered();
            rig.assertConserved();
        }
    }

    @Test
    void shouldBeUnavailableWhenTheLaneIsAbandoned() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Told waiting = rig.submit(1, 3);
            rig.lane.halt();
            assertThat(rig.turn()).isZero();
            assertThat(rig.lane.drain(Long.MAX_VALUE / 2))
                    .as("nobody will run it")
                    .isFalse();
            rig.lane.abandon();
            waiting.assertEnded(Outcome.UNAVAILABLE);
            rig.lane.abandon();
            rig.assertConserved();
        }
    }

    @Test
    void shouldTerminateWhatRunsWhenTheLaneIsAbandoned() throws Exception {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.backend.later = true;
            Told running = rig.submit(1, 1);
            rig.turn();
            Told waiting = rig.submit(2, 1);
            FakeBackend.Started slice = rig.backend.pending.peek();
            Thread closer = Thread.ofPlatform().start(rig.lane::abandon);
            awaitState(closer, Thread.State.TIMED_WAITING);

            rig.lane.completed(slice.instance(), new IllegalStateException("terminated"));
            closer.join();

            running.assertEnded(Outcome.FAILED);
            waiting.assertEnded(Outcome.UNAVAILABLE);
            assertThat(rig.backend.terminated).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldWaitUntilAnotherAnswersWhenItsRowIsRunElsewhere(boolean virtual) throws Exception {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.backend.later = true;
            rig.submit(1, 1);
            rig.turn();
            Call call = rig.call();
            call.input(0).setFloat(0, 7);
            AtomicReference<Outcome> outcome = new AtomicReference<>();
            Thread caller = thread(virtual, () -> outcome.set(call.run()));
            awaitState(caller, Thread.State.WAITING);

            rig.backend.later = false;
            rig.backend.complete(rig.lane, rig.backend.pending.peek());
            rig.turn();
            caller.join();

            assertThat(outcome.get()).isEqualTo(Outcome.OK);
            assertThat(call.output(0).getFloat(0)).isEqualTo(15);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCancelAndKeepTheStatusWhenInterrupted(boolean virtual) throws Exception {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.backend.later = true;
            rig.submit(1, 1);
            rig.turn();
            Call call = rig.call();
            AtomicReference<String> seen = new AtomicReference<>();
            Thread caller = thread(
                    virtual,
                    () -> seen.set(call.run() + " " + Thread.currentThread().isInterrupted()));
            awaitState(caller, Thread.State.WAITING);

            caller.interrupt();
            caller.join();

            assertThat(seen.get()).isEqualTo("CANCELLED true");
            assertThat(call.message()).isEqualTo("the request was cancelled");
            rig.backend.complete(rig.lane, rig.backend.pending.peek());
            rig.turn();
            rig.assertConserved();
        }
    }

    @Test
    void shouldAnswerWhenTheThreadWasInterruptedBefore() {
        try (Rig rig = new Rig(8, 8, 1)) {
            Thread.currentThread().interrupt();
            assertThat(rig.call().run()).as("it need not wait").isEqualTo(Outcome.OK);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void shouldExpireWithoutASweeperWhenTheCallerWaits() throws Exception {
        try (Rig rig = new Rig(8, 8, 1)) {
            rig.backend.later = true;
            rig.submit(1, 1);
            rig.turn();
            Call call = rig.call().timeoutNanos(1000);
            AtomicReference<Outcome> outcome = new AtomicReference<>();
            Thread caller = Thread.ofPlatform().start(() -> outcome.set(call.run()));
            while (!rig.lane.hasDeadlines()) {
                Thread.onSpinWait();
            }
            rig.clock.addAndGet(2000);
            caller.join();
            assertThat(outcome.get()).isEqualTo(Outcome.EXPIRED);
            rig.backend.complete(rig.lane, rig.backend.pending.peek());
            rig.turn();
            rig.assertConserved();
        }
    }

    /// The thread has to wait where it is meant to wait: its state tells, without a clock.
    private static void awaitState(Thread thread, Thread.State state) {
        while (thread.getState() != state) {
            assertThat(thread.isAlive()).isTrue();
            LockSupport.parkNanos(100_000);
        }
    }

    private static Thread thread(boolean virtual, Runnable body) {
        return virtual ? Thread.ofVirtual().start(body) : Thread.ofPlatform().start(body);
    }
}
