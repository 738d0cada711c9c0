// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.plan.LaneSpec;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// A lane without threads: its clock stands still and its wheel is turned by hand.
final class Rig implements AutoCloseable {
    static final Signature SIGNATURE = new Signature(
            List.of(new TensorSpec("x", DataType.FP32, List.of(-1L, 1L))),
            List.of(new TensorSpec("y", DataType.FP32, List.of(-1L, 1L))));
    /// Affords any number of rows, also while the cost is not known.
    static final long ENOUGH = Long.MAX_VALUE;

    final AtomicLong clock = new AtomicLong(1000);
    private volatile boolean realTime;
    final AgentPool agents = new AgentPool(1);
    final Sweeper sweeper = new Sweeper(clock::get);
    final FakeBackend backend;
    final Lane lane;
    private final List<Call> calls = new ArrayList<>();

    Rig(int maxBatch, int capacity, int instances) {
        this(new FakeBackend(capacity), null, true, maxBatch, capacity, instances);
    }

    static Rig withoutRecording() {
        return new Rig(new FakeBackend(16), null, false, 4, 16, 1);
    }

    /// A lane whose rows wait for company.
    Rig(BatchPolicy policy, int capacity, int instances) {
        this(new FakeBackend(capacity), policy, true, policy.maxBatch(), capacity, instances);
    }

    /// A lane whose requests have priorities; the default is the lowest. Its breaker never opens.
    static Rig withPriorities(int levels, int maxBatch, int capacity, int instances) {
        return new Rig(
                new FakeBackend(levels * capacity),
                null,
                true,
                new LaneSpec(
                        "fake",
                        3,
                        SIGNATURE,
                        Batching.Kind.ROWS,
                        maxBatch,
                        instances,
                        Collections.nCopies(levels, new LaneSpec.Queue(capacity, Call.NO_TIMEOUT)),
                        levels - 1,
                        1,
                        0));
    }

    /// A lane whose requests may take so long at most.
    static Rig withDefaultTimeout(long nanos) {
        return new Rig(new FakeBackend(16), null, true, withQueues(List.of(new LaneSpec.Queue(16, nanos))));
    }

    /// A lane whose priorities differ; the default is the lowest.
    static Rig withQueues(LaneSpec.Queue... queues) {
        int slots = List.of(queues).stream().mapToInt(LaneSpec.Queue::capacity).sum();
        return new Rig(new FakeBackend(slots), null, true, withQueues(List.of(queues)));
    }

    private static LaneSpec withQueues(List<LaneSpec.Queue> queues) {
        return new LaneSpec("fake", 3, SIGNATURE, Batching.Kind.ROWS, 4, 1, queues, queues.size() - 1, 1, 0);
    }

    private Rig(FakeBackend backend, BatchPolicy policy, boolean recording, int maxBatch, int capacity, int instances) {
        this(
                backend,
                policy,
                recording,
                new LaneSpec("fake", 3, SIGNATURE, Batching.Kind.ROWS, maxBatch, capacity, instances));
    }

    private Rig(FakeBackend backend, BatchPolicy policy, boolean recording, LaneSpec spec) {
        this.backend = backend;
        LongSupplier time = () -> realTime ? System.nanoTime() : clock.get();
        this.lane = new Lane(spec, () -> policy, recording, backend, agents, sweeper, time);
        sweeper.add(lane);
    }

    Call call() {
        Call call = new Call(lane, ENOUGH);
        calls.add(call);
        return call;
    }

    /// A submitted request of consecutive values and what was told about it.
    Told submit(float first, int rows) {
        return submit(call(), first, rows);
    }

    Told submit(Call call, float first, int rows) {
        Told told = new Told(call, first, rows);
        told.admission = call.submit(told);
        return told;
    }

    /// From now on the lane's clock runs, for a test with threads.
    void realTime() {
        realTime = true;
    }

    /// The pool's agent announces that it parks.
    void agentParks() {
        parked(agents).set(true);
    }

    /// Whether the agent was woken since it parked.
    boolean agentIsWoken() {
        return !parked(agents).get();
    }

    static AtomicBoolean parked(AgentPool pool) {
        try {
            Field agents = AgentPool.class.getDeclaredField("agents");
            agents.setAccessible(true);
            Object agent = ((Object[]) agents.get(pool))[0];
            Field field = agent.getClass().getDeclaredField("parked");
            field.setAccessible(true);
            return (AtomicBoolean) field.get(agent);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Turns until nothing can be taken.
    int turn() {
        return lane.turn(null, Long.MAX_VALUE, Integer.MAX_VALUE);
    }

    /// Runs and answers one row, so that the next slot is another.
    void advance(int rows) {
        for (int i = 0; i < rows; i++) {
            submit(0, 1);
            turn();
        }
        backend.started.clear();
        backend.released.clear();
    }

    /// Every accepted request has ended, each was told once, and nothing is in flight.
    void assertConserved() {
        LaneStatistics statistics = lane.statistics();
        assertThat(statistics.inFlight()).isZero();
        assertThat(statistics.ended().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(statistics.accepted());
        assertThat(lane.hasDeadlines()).isFalse();
    }

    @Override
    public void close() {
        calls.forEach(Call::close);
    }

    /// A completion that counts, over inputs `first, first + 1, ...`.
    static final class Told implements Completion {
        final Call call;
        private final float first;
        private final int rows;
        final List<Outcome> outcomes = new ArrayList<>();
        Outcome admission;

        Told(Call call, float first, int rows) {
            this.call = call;
            this.first = first;
            this.rows = rows;
            call.rows(rows);
            for (int i = 0; i < rows; i++) {
                call.input(0).setFloat(i, first + i);
            }
        }

        @Override
        public void completed(Call ended, Outcome outcome) {
            outcomes.add(outcome);
        }

        boolean isOpen() {
            return admission == Outcome.OK && outcomes.isEmpty();
        }

        void assertAnswered() {
            assertThat(admission).isEqualTo(Outcome.OK);
            assertThat(outcomes).containsExactly(Outcome.OK);
            assertThat(call.output(0).shape()).containsExactly(rows, 1);
            for (int i = 0; i < rows; i++) {
                assertThat(call.output(0).getFloat(i)).as("row %d", i).isEqualTo(FakeBackend.answer(first + i));
            }
        }

        void assertEnded(Outcome outcome) {
            assertThat(admission).isEqualTo(Outcome.OK);
            assertThat(outcomes).containsExactly(outcome);
        }
    }
}
