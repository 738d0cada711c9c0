// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/// That a committed row is always turned by somebody, and that no slot of a running slice looks free. Run by
/// [JcstressTest].
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
            AgentPool agents = new AgentPool(1);
            parked = Rig.parked(agents);
            parked.set(true);
            LaneSpec spec = new LaneSpec("stress", 1, EMPTY, Batching.Kind.NONE, 1, 4, instances);
            lane = new Lane(spec, () -> policy, true, new Nothing(), agents, new Sweeper(() -> 0), () -> 0);
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

    private static final class Nothing implements Backend {
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
