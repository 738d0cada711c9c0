// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.plan.LaneSpec;
import dev.millrace.policy.Breaker;
import java.lang.invoke.VarHandle;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/// That a committed row is always turned by somebody, that it is told once however it ends, and that no slot of a
/// running slice looks free. Run by [JcstressTest].
final class LaneStress {
    private LaneStress() {}

    /// A lane whose requests have no tensors and take no time, and whose one agent looks parked: waking it is seen.
    static class Lanes {
        private static final Signature EMPTY = new Signature(List.of(), List.of());

        final Lane lane;
        final AtomicBoolean parked;

        Lanes(int instances) {
            this(instances, null);
        }

        Lanes(int instances, BatchPolicy policy) {
            this(new LaneSpec("stress", 1, EMPTY, Batching.Kind.NONE, 1, 4, instances), policy, new Nothing());
        }

        Lanes(LaneSpec spec, BatchPolicy policy, Backend backend) {
            AgentPool agents = new AgentPool(1);
            parked = Rig.parked(agents);
            parked.set(true);
            lane = new Lane(spec, () -> policy, true, backend, agents, new Sweeper(() -> 0), () -> 0);
        }

        /// One row at a time, in so many levels.
        static LaneSpec spec(int levels) {
            return new LaneSpec(
                    "stress",
                    1,
                    EMPTY,
                    Batching.Kind.NONE,
                    1,
                    1,
                    Collections.nCopies(levels, new LaneSpec.Queue(4, Call.NO_TIMEOUT)),
                    levels - 1,
                    1,
                    5);
        }

        Call call() {
            return new Call(lane, Long.MAX_VALUE);
        }

        /// Submits and turns as a caller does who does not wait.
        void ask(Call call) {
            call.open(null);
            lane.turn(call, Long.MAX_VALUE, 100);
            if (call.isDelivered()) {
                lane.handOver();
                return;
            }
            lane.attend();
            for (int look = 0; look < 2 && !call.isDelivered(); look++) {
                lane.turn(call, Long.MAX_VALUE, 100);
            }
            lane.leave();
        }

        /// Whether the request was answered, or an agent was woken who will see to it.
        boolean isSeenTo(Call call) {
            return call.isDelivered() || !parked.get();
        }
    }

    /// Runs that take no time, and can be terminated between their begin and their end.
    private static final class Terminable extends Nothing {
        private static final long NONE = -1;

        private final AtomicLong state = new AtomicLong(NONE);
        private long runs;

        @Override
        public boolean start(int instance, int firstSlot, int count) {
            long run = runs++;
            state.set(run);
            if (!state.compareAndSet(run, NONE)) {
                throw new IllegalStateException("terminated");
            }
            return true;
        }

        @Override
        public long running(int instance) {
            return state.get();
        }

        @Override
        public boolean terminate(int instance, long run) {
            return run != NONE && state.compareAndSet(run, NONE);
        }
    }

    private static class Nothing implements Backend {
        @Override
        public TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count) {
            return tensors;
        }

        @Override
        public boolean start(int instance, int firstSlot, int count) {
            return true;
        }

        @Override
        public TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count) {
            return tensors;
        }

        @Override
        public void release(int firstSlot, int count) {}

        @Override
        public long running(int instance) {
            return -1;
        }

        @Override
        public boolean terminate(int instance, long run) {
            return false;
        }

        @Override
        public void close() {}
    }

    @JCStressTest
    @Description("Two callers ask one instance and leave: each request is answered, or an agent was woken for it.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both are seen to")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a row waits and nobody will look")
    @State
    public static class TwoCallers extends Lanes {
        private final Call one = call();
        private final Call two = call();

        public TwoCallers() {
            super(1);
        }

        @Actor
        public void first() {
            ask(one);
        }

        @Actor
        public void second() {
            ask(two);
        }

        @Arbiter
        public void look(ZZ_Result r) {
            r.r1 = isSeenTo(one);
            r.r2 = isSeenTo(two);
        }
    }

    @JCStressTest
    @Description("Two callers ask two instances and leave: each request is answered, or an agent was woken for it.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both are seen to")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a row waits and nobody will look")
    @State
    public static class TwoCallersTwoInstances extends Lanes {
        private final Call one = call();
        private final Call two = call();

        public TwoCallersTwoInstances() {
            super(2);
        }

        @Actor
        public void first() {
            ask(one);
        }

        @Actor
        public void second() {
            ask(two);
        }

        @Arbiter
        public void look(ZZ_Result r) {
            r.r1 = isSeenTo(one);
            r.r2 = isSeenTo(two);
        }
    }

    @JCStressTest
    @Description("An event loop submits while a turner leaves: who stays until nothing is left answers everything.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both are answered")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a committed row was left behind")
    @State
    public static class CommitterAndTurner extends Lanes {
        private final Call one = call();
        private final Call two = call();

        public CommitterAndTurner() {
            super(1);
            one.open(null);
        }

        @Actor
        public void turner() {
            lane.turn(null, Long.MAX_VALUE, 100);
        }

        @Actor
        public void committer() {
            two.open(null);
            lane.turn(null, Long.MAX_VALUE, 100);
        }

        @Arbiter
        public void look(ZZ_Result r) {
            r.r1 = one.isDelivered();
            r.r2 = two.isDelivered();
        }
    }

    /// A lane whose rows wait until time 1000, two at a time; its agent is not parked yet.
    static class WaitingLanes extends Lanes {
        WaitingLanes() {
            super(1, new BatchPolicy(4, 2, List.of(), 1000));
            parked.set(false);
        }

        void submit(Call call) {
            call.open(null);
            lane.handOver();
        }

        /// Parks as an agent does; returns when it will look again.
        long park() {
            parked.set(true);
            VarHandle.fullFence();
            if (lane.wantsTurner()) {
                parked.set(false);
                return 0;
            }
            return lane.watch();
        }
    }

    @JCStressTest
    @Description(
            "A row that waits for company is submitted while an agent parks: the agent knows until when, or wakes.")
    @Outcome(id = "true", expect = Expect.ACCEPTABLE, desc = "somebody will look in time")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the agent parks for good and the row waits")
    @State
    public static class SubmitterAndParkingAgent extends WaitingLanes {
        private final Call one = call();
        private long until;

        @Actor
        public void submitter() {
            submit(one);
        }

        @Actor
        public void agent() {
            until = park();
        }

        @Arbiter
        public void look(Z_Result r) {
            r.r1 = !parked.get() || until <= 1000;
        }
    }

    @JCStressTest
    @Description(
            "A turner takes a full batch while another row comes and an agent parks: the row left is looked after.")
    @Outcome(id = "true", expect = Expect.ACCEPTABLE, desc = "all are answered, or somebody will look in time")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the agent parks for good and a row waits")
    @State
    public static class TurnerSubmitterAndParkingAgent extends WaitingLanes {
        private final List<Call> calls = List.of(call(), call(), call());
        private long until;

        public TurnerSubmitterAndParkingAgent() {
            calls.get(0).open(null);
            calls.get(1).open(null);
        }

        @Actor
        public void turner() {
            lane.turn(null, Long.MAX_VALUE, 100);
            lane.handOver();
        }

        @Actor
        public void submitter() {
            submit(calls.get(2));
        }

        @Actor
        public void agent() {
            until = park();
        }

        @Arbiter
        public void look(Z_Result r) {
            boolean answered = calls.stream().allMatch(Call::isDelivered);
            r.r1 = answered || !parked.get() || until <= 1000;
        }
    }

    @JCStressTest
    @Description("A lane is halted while a caller asks: the request is answered, refused, or still there to be ended.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "it has an end, and the lane is idle")
    @Outcome(expect = Expect.FORBIDDEN, desc = "it has no end, or a run goes on")
    @State
    public static class AskAndAbandon extends Lanes {
        private final Call one = call();

        public AskAndAbandon() {
            super(1);
        }

        @Actor
        public void caller() {
            if (one.open(null) == dev.millrace.runtime.Outcome.OK) {
                lane.turn(one, Long.MAX_VALUE, 100);
            }
        }

        @Actor
        public void closer() {
            lane.abandon();
        }

        @Arbiter
        public void look(ZZ_Result r) {
            r.r1 = one.isDelivered();
            r.r2 = lane.isIdle();
        }
    }

    @JCStressTest
    @Description("A row is committed to a level while a higher one is turned: it is answered, or an agent was woken.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both are seen to")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the lower row waits and nobody will look")
    @State
    public static class TwoLevels extends Lanes {
        private final Call high = call().priority(1);
        private final Call low = call().priority(2);

        public TwoLevels() {
            super(spec(2), null, new Nothing());
            high.open(null);
        }

        @Actor
        public void turner() {
            lane.turn(null, Long.MAX_VALUE, 1);
            lane.handOver();
        }

        @Actor
        public void committer() {
            low.open(null);
            lane.handOver();
        }

        @Arbiter
        public void look(ZZ_Result r) {
            r.r1 = isSeenTo(high);
            r.r2 = isSeenTo(low);
        }
    }

    @JCStressTest
    @Description(
            "A lane is closed and drained while a caller commits: what was accepted is answered, what was not is not.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "accepted and answered")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "accepted by a lane that has drained")
    @State
    public static class CommitAndClose extends Lanes {
        private final Call one = call();

        public CommitAndClose() {
            super(1);
        }

        @Actor
        public void committer(ZZ_Result r) {
            r.r1 = one.open(null) == dev.millrace.runtime.Outcome.OK;
        }

        @Actor
        public void closer() {
            lane.refuse();
            while (!lane.isDrained()) {
                lane.turn(null, Long.MAX_VALUE, 100);
            }
        }

        @Arbiter
        public void look(ZZ_Result r) {
            dev.millrace.runtime.Outcome expected =
                    r.r1 ? dev.millrace.runtime.Outcome.OK : dev.millrace.runtime.Outcome.UNAVAILABLE;
            r.r2 = one.isDelivered() && one.outcome() == expected;
        }
    }

    @JCStressTest
    @Description(
            "A row with a deadline is run while the sweeper finds it overdue: one of them ends it, and tells once.")
    @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "told once, and no deadline is left")
    @Outcome(expect = Expect.FORBIDDEN, desc = "told twice or never, or its deadline is still counted")
    @State
    public static class TurnAndSweep extends Lanes {
        private final Call one = call().timeoutNanos(10);
        private final AtomicInteger told = new AtomicInteger();

        public TurnAndSweep() {
            super(1);
            one.open((_, _) -> told.getAndIncrement());
        }

        @Actor
        public void turner() {
            lane.turn(null, Long.MAX_VALUE, 100);
        }

        @Actor
        public void sweeper() {
            lane.sweep(20);
        }

        @Arbiter
        public void look(II_Result r) {
            boolean right = one.outcome() == dev.millrace.runtime.Outcome.OK
                    || one.outcome() == dev.millrace.runtime.Outcome.EXPIRED;
            r.r1 = right ? told.get() : -1;
            r.r2 = (int) lane.statistics().inFlight() + (lane.hasDeadlines() ? 1 : 0);
        }
    }

    @JCStressTest
    @Description(
            "A row is cancelled and its run terminated while it is run: it is told once, and the next run is not hit.")
    @Outcome(id = "1, true", expect = Expect.ACCEPTABLE, desc = "told once, and the next is answered")
    @Outcome(expect = Expect.FORBIDDEN, desc = "told twice, never or otherwise, or the next run was terminated")
    @State
    public static class CancelAndTerminate extends Lanes {
        private final Call one = call();
        private final Call two = call();
        private final AtomicInteger told = new AtomicInteger();
        private boolean cancelled;

        public CancelAndTerminate() {
            super(spec(1), null, new Terminable());
            one.open((_, _) -> told.getAndIncrement());
        }

        @Actor
        public void turner() {
            lane.turn(null, Long.MAX_VALUE, 100);
            two.open(null);
            lane.turn(null, Long.MAX_VALUE, 100);
        }

        @Actor
        public void owner() {
            cancelled = one.cancel();
            lane.sweep(0);
        }

        @Arbiter
        public void look(IZ_Result r) {
            dev.millrace.runtime.Outcome expected =
                    cancelled ? dev.millrace.runtime.Outcome.CANCELLED : dev.millrace.runtime.Outcome.OK;
            r.r1 = one.outcome() == expected ? told.get() : -1;
            r.r2 = two.isDelivered() && two.outcome() == dev.millrace.runtime.Outcome.OK;
        }
    }

    @JCStressTest
    @Description("Two requests come when the pause of an open breaker is over: one of them is the probe.")
    @Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "the first is the probe")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "the second is the probe")
    @Outcome(expect = Expect.FORBIDDEN, desc = "two probes, or none")
    @State
    public static class TwoProbes {
        private static final long AFTER_THE_PAUSE = 1_000_000_000L;

        private final Breaker breaker = new Breaker(1);

        public TwoProbes() {
            breaker.failed(0, "it failed");
        }

        @Actor
        public void first(ZZ_Result r) {
            r.r1 = breaker.admits(AFTER_THE_PAUSE);
        }

        @Actor
        public void second(ZZ_Result r) {
            r.r2 = breaker.admits(AFTER_THE_PAUSE);
        }
    }

    @JCStressTest
    @Description(
            "A slot is taken, run and released while a claimer waits for it: its row is never overwritten in a run.")
    @Outcome(id = "7, -1", expect = Expect.ACCEPTABLE, desc = "the ring was full")
    @Outcome(id = "7, 2", expect = Expect.ACCEPTABLE, desc = "claimed after the release")
    @Outcome(expect = Expect.FORBIDDEN, desc = "claimed while it was run")
    @State
    public static class TakeAndClaim {
        private final Ring ring = new Ring(2, 2);
        private int row = 7;

        public TakeAndClaim() {
            ring.publish(ring.claim(2), 2);
        }

        @Actor
        public void turner(II_Result r) {
            ring.take(0, 0);
            ring.take(1, 1);
            ring.release(1);
            r.r1 = row;
            ring.release(0);
        }

        @Actor
        public void claimer(II_Result r) {
            long claimed = ring.claim(1);
            if (claimed >= 0) {
                row = 9;
            }
            r.r2 = (int) claimed;
        }
    }
}
