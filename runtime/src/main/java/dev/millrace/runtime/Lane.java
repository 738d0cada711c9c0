// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.monitor.LaneRecorder;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One model version at work: its ring, its backend, and the rules by which requests become batches.
///
/// Threads: any thread may submit, and any thread may turn the wheel, that is take a slice and run it. A token guards
/// the taking only. After giving it back a turner looks again, and one that leaves work behind wakes an agent: a
/// committed row is always turned by somebody.
///
/// Ownership: the lane owns its slots from publish to release, and its backend. It is closed when it is drained.
final class Lane implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
    private static final VarHandle BUSY;

    static {
        try {
            BUSY = MethodHandles.lookup().findVarHandle(Lane.class, "busy", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LaneSpec spec;
    private final Ring ring;
    private final Backend backend;
    private final AgentPool agents;
    private final Sweeper sweeper;
    private final LongSupplier clock;
    private final CostModel cost = new CostModel();
    private final LaneCounters counters = new LaneCounters();
    private final LaneRecorder recorder;
    /// Null if no row waits for company.
    private final BatchPolicy policy;

    private final Slice[] slices;
    private final long allBusy;
    private final AtomicBoolean token = new AtomicBoolean();
    /// One bit per instance that runs a slice.
    @SuppressWarnings("unused") // through BUSY
    private volatile long busy;

    /// Callers that will look for work once more before they park.
    private final AtomicInteger attending = new AtomicInteger();
    /// Requests in flight that have a deadline.
    private final AtomicInteger deadlines = new AtomicInteger();

    private volatile boolean closed;
    private volatile boolean halted;

    Lane(LaneSpec spec, Backend backend, AgentPool agents, Sweeper sweeper, LongSupplier clock) {
        this(spec, null, true, backend, agents, sweeper, clock);
    }

    /// @param policy when rows that wait may go; null: as soon as somebody can run them
    /// @param recording whether latencies and batch sizes are recorded
    Lane(
            LaneSpec spec,
            BatchPolicy policy,
            boolean recording,
            Backend backend,
            AgentPool agents,
            Sweeper sweeper,
            LongSupplier clock) {
        this.spec = spec;
        this.recorder = recording
                ? LaneRecorder.of(spec.model(), spec.version(), spec.maxBatch(), clock.getAsLong())
                : LaneRecorder.off(spec.model(), spec.version());
        this.policy = policy;
        this.backend = backend;
        this.agents = agents;
        this.sweeper = sweeper;
        this.clock = clock;
        this.ring = new Ring(spec.capacity(), spec.instances());
        this.slices = new Slice[spec.instances()];
        for (int i = 0; i < slices.length; i++) {
            slices[i] = new Slice(i, spec.maxBatch());
        }
        if (policy != null) {
            policy.attach(ring, cost);
        }
        this.allBusy = -1L >>> (Long.SIZE - slices.length);
    }

    @Hot
    LaneSpec spec() {
        return spec;
    }

    CostModel cost() {
        return cost;
    }

    LaneCounters counters() {
        return counters;
    }

    @Hot
    LaneRecorder recorder() {
        return recorder;
    }

    AgentPool agents() {
        return agents;
    }

    LongSupplier clock() {
        return clock;
    }

    LaneStatistics statistics() {
        return counters.snapshot(spec.model(), spec.version(), ring.queued());
    }

    /// Tensors that a call may take over, or null.
    TensorSet spareTensors() {
        return backend.spare();
    }

    /// Whether a run of one row is expected to fit the budget, and nothing waits for company.
    @Hot
    boolean isLight(long budgetNanos) {
        return budgetNanos > 0 && cost.affordable(budgetNanos) > 0 && (policy == null || hasWork());
    }

    /// Gives the call's open request its slots. Returns OK if it was accepted, or else why not; then nothing is
    /// claimed. Once accepted, [#handOver()] has to follow.
    @Hot
    Outcome commit(Call call, int generation, int rows) {
        if (closed) {
            return Outcome.UNAVAILABLE;
        }
        long first = ring.claim(rows);
        if (first < 0) {
            return Outcome.OVERLOADED;
        }
        if (closed) {
            pad(first, rows);
            return Outcome.UNAVAILABLE;
        }
        counters.accepted();
        if (call.deadlineNanos() != Ticket.NO_DEADLINE && deadlines.getAndIncrement() == 0) {
            sweeper.wake();
        }
        load(call, generation, first, rows);
        if (call.isTimed()) {
            call.timing().loaded();
        }
        long goTime = policy == null ? BatchPolicy.NEVER : policy.arrive(call, first, rows, clock.getAsLong());
        // From here on anybody may end the request, and its owner may then do as it likes with the call.
        call.accept(generation);
        ring.publish(first, rows);
        if (policy != null) {
            policy.lower(goTime);
        }
        return Outcome.OK;
    }

    @Hot
    private void pad(long first, int rows) {
        for (int i = 0; i < rows; i++) {
            ring.assign(first + i, null, 0, 0);
        }
        ring.publish(first, rows);
    }

    /// Copies the rows in at most two pieces: up to the wrap and after it.
    @Hot
    private void load(Call call, int generation, long first, int rows) {
        for (int i = 0; i < rows; i++) {
            ring.assign(first + i, call, generation, i);
        }
        int firstSlot = ring.slot(first);
        int untilWrap = Math.min(rows, ring.capacity() - firstSlot);
        backend.load(call, 0, firstSlot, untilWrap);
        if (untilWrap < rows) {
            backend.load(call, untilWrap, 0, rows - untilWrap);
        }
    }

    /// Whether something waits that may go, and an instance is free to run it.
    @Hot
    boolean hasWork() {
        return busy != allBusy && !halted && ring.hasPublished() && (policy == null || closed || policy.mayGo(clock));
    }

    /// As [#hasWork()], with nothing seen that is older than what this thread has committed. A turner who has run
    /// something has had a fence since then.
    @Hot
    private boolean hasWorkNow() {
        VarHandle.fullFence();
        return hasWork();
    }

    /// Whether something waits that nobody is just about to take. Whoever holds the token looks again after giving it
    /// back.
    @Hot
    boolean wantsTurner() {
        return hasWork() && !token.get();
    }

    /// Turns the wheel: takes and runs slices, each within `budgetNanos`, until nothing is left, `own` is delivered, or
    /// `maxSlices` have been run. Whoever calls it sees to what is left, by [#handOver()] or by turning again.
    ///
    /// @return how many slices were run
    @Hot
    int turn(Ticket own, long budgetNanos, int maxSlices) {
        int limit = Math.min(spec.maxBatch(), Math.max(1, cost.affordable(budgetNanos)));
        int ran = 0;
        while (ran < maxSlices && (own == null || !own.isDelivered()) && (hasWork() || (ran == 0 && hasWorkNow()))) {
            if (!token.compareAndSet(false, true)) {
                break;
            }
            Slice slice = take(limit);
            token.set(false);
            VarHandle.fullFence();
            if (slice != null) {
                ran++;
                if (slices.length > 1 && (hasWork() || isToBeWatched())) {
                    agents.wake();
                }
                run(slice);
            } else if (policy != null) {
                // What waits does so for company, or is more than the budget pays for.
                break;
            }
        }
        return ran;
    }

    /// Wakes an agent if something waits that nobody else will look at. Who commits does this afterwards, sooner or
    /// later: the fence between what was published and who is asleep is here.
    @Hot
    void handOver() {
        VarHandle.fullFence();
        if (attending.get() == 0 && (wantsTurner() || isToBeWatched())) {
            agents.wake();
        }
    }

    /// Whether something waits for company and no agent knows until when.
    @Hot
    private boolean isToBeWatched() {
        return policy != null && busy != allBusy && !halted && policy.arm();
    }

    /// An agent is about to park: returns when it has to look again, or [BatchPolicy#NEVER].
    long watch() {
        return policy == null || busy == allBusy || halted ? BatchPolicy.NEVER : policy.watch();
    }

    /// An agent that parked with [#watch()] is awake.
    void unwatch() {
        if (policy != null) {
            policy.unwatch();
        }
    }

    /// Whether something waits for company that an instance is free to run later.
    boolean isWaiting() {
        return policy != null && policy.isWaiting() && busy != allBusy;
    }

    /// Announces a caller that keeps looking for work until [#leave()].
    @Hot
    void attend() {
        attending.getAndIncrement();
    }

    /// The caller looks no longer; what waits now is handed over.
    @Hot
    void leave() {
        attending.getAndDecrement();
        handOver();
    }

    /// Takes the next slice, or null if there is none. Under the token.
    @Hot
    private Slice take(int limit) {
        if (halted) {
            return null;
        }
        long next = ring.next();
        long first = skipDead(next);
        if (policy != null && first != next) {
            policy.lookAgain(first, deadlines.get() > 0, clock.getAsLong());
        }
        int rows = Math.min(limit, ring.untilWrap(first));
        if (policy != null) {
            rows = policy.batch(first, limit, closed, clock.getAsLong());
        }
        long last = ring.available(first, rows);
        if (last < first) {
            return null;
        }
        int instance = Long.numberOfTrailingZeros(~busy);
        if (instance >= slices.length) {
            return null;
        }
        last = untilPadding(first, last);
        setBusy(instance);
        if (halted) {
            clearBusy(instance);
            return null;
        }
        ring.take(instance, last);
        if (policy != null) {
            policy.lookAgain(last + 1, deadlines.get() > 0, clock.getAsLong());
        }
        Slice slice = slices[instance];
        slice.set(first, ring.slot(first), (int) (last - first + 1));
        return slice;
    }

    @Hot
    private void setBusy(int instance) {
        long _ = (long) BUSY.getAndBitwiseOr(this, 1L << instance);
    }

    @Hot
    private void clearBusy(int instance) {
        long _ = (long) BUSY.getAndBitwiseAnd(this, ~(1L << instance));
    }

    /// Passes over padding and over requests that have ended, which need no run. Returns the next sequence.
    @Hot
    private long skipDead(long first) {
        long next = first;
        while (ring.available(next, 1) == next) {
            Ticket ticket = ring.ticket(next);
            if (ticket != null && ticket.isLive(ring.generation(next))) {
                break;
            }
            ring.clear(next);
            backend.release(ring.slot(next), 1);
            ring.skip(next);
            next++;
        }
        if (next > first) {
            counters.skipped(next - first);
        }
        return next;
    }

    @Hot
    private long untilPadding(long first, long last) {
        long sequence = first;
        while (sequence < last && ring.ticket(sequence + 1) != null) {
            sequence++;
        }
        return sequence;
    }

    @Hot
    private void run(Slice slice) {
        long now = clock.getAsLong();
        slice.started(now, recorder.beginBatch());
        if (recorder.isDue(now)) {
            recorder.adapt(now, counters.acceptedSum());
        }
        if (expireOverdue(slice, now)) {
            free(slice);
            return;
        }
        Throwable failure = null;
        boolean done = true;
        try {
            done = backend.start(slice);
        } catch (Throwable t) {
            failure = t;
        }
        if (done) {
            finished(slice, failure);
        }
    }

    /// Ends the slice's overdue requests; true if that leaves nothing to run.
    @Hot
    private boolean expireOverdue(Slice slice, long now) {
        return deadlines.get() > 0 && ring.expire(slice.first(), slice.count(), now);
    }

    /// Told by a backend that a slice it started has been run, or has failed.
    @Hot
    void completed(Slice slice, Throwable failure) {
        finished(slice, failure);
        handOver();
    }

    /// Answers a slice that was run, or fails it, and frees its slots.
    @Hot
    private void finished(Slice slice, Throwable failure) {
        if (failure == null) {
            slice.ended(clock.getAsLong());
            long nanos = slice.endNanos() - slice.startNanos();
            cost.observe(slice.count(), nanos);
            counters.ran(slice.count(), nanos);
            recorder.batch(slice.count());
        }
        String problem = failure == null ? null : report(failure);
        int answered = 0;
        while (answered < slice.count()) {
            answered += answer(slice, answered, problem);
        }
        tellAnswered(slice);
        if (slice.dead() > 0) {
            counters.died(slice.dead());
        }
        if (slice.event() != null) {
            endEvent(slice, failure != null);
        }
        free(slice);
    }

    private void endEvent(Slice slice, boolean failed) {
        recorder.endBatch(slice.event(), slice.instance(), slice.count(), slice.dead(), ring.queued(), failed);
    }

    /// Frees the slots of a slice; its requests have ended.
    @Hot
    private void free(Slice slice) {
        for (int i = 0; i < slice.count(); i++) {
            ring.clear(slice.first() + i);
        }
        backend.release(slice.firstSlot(), slice.count());
        ring.release(slice.instance());
        clearBusy(slice.instance());
        VarHandle.fullFence();
    }

    /// Answers the rows from `offset` on that belong to one request; returns how many they are.
    @Hot
    @SuppressWarnings("ReferenceEquality") // a ticket is what it is, not what it says
    private int answer(Slice slice, int offset, String problem) {
        long sequence = slice.first() + offset;
        Ticket ticket = ring.ticket(sequence);
        int generation = ring.generation(sequence);
        int firstRow = ring.row(sequence);
        int count = 1;
        while (offset + count < slice.count()
                && ring.ticket(sequence + count) == ticket
                && ring.generation(sequence + count) == generation) {
            count++;
        }
        Call call = (Call) ticket;
        int firstSlot = slice.firstSlot() + offset;
        if (problem == null && call.endAnswered(generation, count)) {
            if (give(call, slice, firstRow, firstSlot, count) == Outcome.OK) {
                slice.answered(offset);
            } else {
                call.settle(generation, Outcome.FAILED);
            }
        } else if (call.pin(generation)) {
            if (problem != null) {
                call.problem(problem);
                call.end(generation, Outcome.FAILED);
            } else if (give(call, slice, firstRow, firstSlot, count) == Outcome.OK) {
                call.answered(generation, count);
            } else {
                call.end(generation, Outcome.FAILED);
            }
            call.unpin(generation);
        } else {
            slice.died(count);
        }
        return count;
    }

    /// Tells of the requests that this slice has answered, when all of them are counted: one addition for all.
    @Hot
    private void tellAnswered(Slice slice) {
        int count = slice.answered();
        if (count > 0) {
            counters.answered(count);
        }
        for (int i = 0; i < count; i++) {
            long sequence = slice.first() + slice.answeredOffset(i);
            ((Call) ring.ticket(sequence)).settleCounted(ring.generation(sequence), Outcome.OK);
        }
    }

    /// Copies an answer out, and says how that ended: one that cannot be copied fails its own request only.
    @Hot
    private Outcome give(Call call, Slice slice, int firstRow, int firstSlot, int count) {
        try {
            if (call.isTimed()) {
                call.timing().ranIn(slice);
            }
            backend.unload(call, firstRow, firstSlot, count);
            return Outcome.OK;
        } catch (RuntimeException | Error e) {
            call.problem(report(e));
            return Outcome.FAILED;
        }
    }

    private String report(Throwable failure) {
        String id = Long.toHexString(
                java.util.concurrent.ThreadLocalRandom.current().nextLong());
        LOG.error("model {} version {} failed, error id {}", spec.model(), spec.version(), id, failure);
        return "model '" + spec.model() + "' failed on this batch: " + failure.getMessage() + " (error id " + id + ")";
    }

    /// Whether the sweeper has anything to look after here.
    boolean hasDeadlines() {
        return deadlines.get() > 0;
    }

    /// Ends every overdue request that has slots.
    void expire(long nowNanos) {
        ring.expire(nowNanos);
    }

    /// Takes note that an accepted request has ended.
    @Hot
    void ended(Outcome outcome) {
        counters.ended(outcome);
    }

    /// Takes note that a request with a deadline has ended.
    @Hot
    void deadlineEnded() {
        deadlines.getAndDecrement();
    }

    /// Refuses new requests. Those already claimed become padding or are answered.
    void refuse() {
        closed = true;
    }

    /// Lets no further slice begin; those running go on. For a JVM that exits.
    void halt() {
        closed = true;
        halted = true;
        VarHandle.fullFence();
    }

    /// Whether no slice is being run.
    boolean isIdle() {
        return busy == 0;
    }

    /// Whether every published slot has been taken and every slice has ended.
    boolean isDrained() {
        return ring.queued() == 0 && busy == 0;
    }

    /// Waits until everything is answered, turning the wheel meanwhile; false if the time is over before, or if the
    /// lane was halted and what still waits will not be run.
    boolean drain(long timeoutNanos) {
        long end = System.nanoTime() + timeoutNanos;
        while (!isDrained() && !(halted && isIdle()) && System.nanoTime() - end < 0) {
            turn(null, Long.MAX_VALUE, Integer.MAX_VALUE);
            LockSupport.parkNanos(50_000);
        }
        return isDrained();
    }

    /// Terminates running slices and waits for them; then answers what still waits with UNAVAILABLE. It may be called
    /// again, also at the same time: by a close and by the exit of the JVM.
    void abandon() {
        halt();
        while (!isIdle()) {
            for (Slice slice : slices) {
                if ((busy & 1L << slice.instance()) != 0) {
                    backend.terminate(slice);
                }
            }
            LockSupport.parkNanos(1_000_000);
        }
        while (!ring.isAllPublished()) {
            Thread.onSpinWait();
        }
        // Whoever was about to take a slice when the lane was halted passes over dead slots first: wait for him.
        while (!token.compareAndSet(false, true)) {
            Thread.onSpinWait();
        }
        token.set(false);
        ring.endAll(Outcome.UNAVAILABLE);
    }

    /// Frees the backend. The lane is drained or abandoned.
    @Override
    public void close() {
        backend.close();
    }
}
