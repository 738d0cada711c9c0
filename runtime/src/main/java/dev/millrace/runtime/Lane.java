// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import dev.millrace.cache.CacheShare;
import dev.millrace.memory.Hot;
import dev.millrace.monitor.LaneRecorder;
import dev.millrace.plan.LaneSpec;
import dev.millrace.policy.CostModel;
import dev.millrace.policy.FairShare;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One model version at work: its rings, its backend, and the rules by which requests become batches.
///
/// Threads: any thread may submit, and any thread may turn the wheel, that is take a slice and run it. A token guards
/// the taking only. After giving it back a turner looks again, and one that leaves work behind wakes an agent: a
/// committed row is always turned by somebody.
///
/// Rows wait by priority, each level in a ring of its own. The highest level that has rows goes first, unless a lower
/// one was passed over too often.
///
/// Ownership: the lane owns its slots from publish to release, and its backend. It is closed when it is drained.
final class Lane implements AutoCloseable {
    /// Slices that may be taken from higher levels while rows of a lower one wait.
    static final int MOST_PASSED = 8;

    /// Instead of a failure: the backend will tell later.
    private static final Throwable LATER = new Throwable("in progress", null, false, false) {};

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
    private final Backend backend;
    private final AgentPool agents;
    private final Sweeper sweeper;
    private final LongSupplier clock;
    private final CostModel cost = new CostModel();
    private final LaneCounters counters;
    private final LaneRecorder recorder;
    private final Answers answers;
    private final Gate gate;
    private final FairShare.Account share;
    private final Levels levels;
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
    /// Whether a request was cancelled since the sweeper looked.
    private volatile boolean cancelled;
    private volatile boolean closed;
    private volatile boolean halted;
    /// Where answers are kept, or null.
    private CacheShare cache;

    /// @param policies makes for each level what decides when rows may go; null: as soon as somebody can run them
    /// @param recording whether latencies and batch sizes are recorded
    Lane(
            LaneSpec spec,
            Supplier<BatchPolicy> policies,
            boolean recording,
            Backend backend,
            AgentPool agents,
            Sweeper sweeper,
            LongSupplier clock) {
        this.spec = spec;
        this.counters = new LaneCounters();
        this.recorder = recording
                ? LaneRecorder.of(spec.model(), spec.version(), spec.maxBatch(), clock.getAsLong())
                : LaneRecorder.off(spec.model(), spec.version(), spec.maxBatch());
        this.backend = backend;
        this.agents = agents;
        this.sweeper = sweeper;
        this.clock = clock;
        this.answers = new Answers(spec, backend, counters, clock);
        this.share = new FairShare.Account(spec.weight());
        this.slices = new Slice[spec.instances()];
        for (int i = 0; i < slices.length; i++) {
            slices[i] = new Slice(i, spec.maxBatch());
        }
        this.levels = new Levels(spec, policies, backend, cost, clock);
        this.gate = new Gate(spec, levels, slices, cost, counters, clock);
        this.allBusy = -1L >>> (Long.SIZE - slices.length);
    }

    /// Has answers kept, before there are calls.
    void cached(CacheShare share) {
        cache = share;
    }

    /// For a new call; null if answers are not kept.
    Recall recall() {
        return cache == null ? null : new Recall(cache, counters, clock);
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

    LongSupplier clock() {
        return clock;
    }

    /// Where its use of agents is booked.
    FairShare.Account share() {
        return share;
    }

    @Hot
    Gate gate() {
        return gate;
    }

    LaneStatistics statistics() {
        return counters.snapshot(
                spec.model(), spec.version(), clock.getAsLong(), recorder, levels.queued(), gate.breaker());
    }

    /// Tensors that a call may take over, or null.
    TensorSet spareTensors() {
        return backend.spare();
    }

    /// Whether a run of one row is expected to fit the budget, and nothing waits for company.
    @Hot
    boolean isLight(long budgetNanos) {
        return budgetNanos > 0 && cost.affordable(budgetNanos) > 0 && (!levels.isPatient() || hasWork());
    }

    /// Gives the call's open request its slots. Returns OK if it was accepted, or else why not, NOT_FOUND if the lane
    /// is closed; then nothing is claimed. Once accepted, [#handOver()] has to follow.
    @Hot
    Outcome commit(Call call, int generation, int rows) {
        if (closed) {
            return Outcome.NOT_FOUND;
        }
        Outcome admission = gate.admit(call, rows, busy == allBusy);
        if (admission != Outcome.OK) {
            return admission;
        }
        Level level = levels.get(call.level());
        long first = level.ring().claim(rows);
        if (first < 0) {
            return Outcome.OVERLOADED;
        }
        if (closed) {
            level.pad(first, rows);
            return Outcome.NOT_FOUND;
        }
        counters.accepted();
        if (call.deadlineNanos() != Ticket.NO_DEADLINE && deadlines.getAndIncrement() == 0) {
            sweeper.wake();
        }
        level.publish(call, generation, first, rows);
        return Outcome.OK;
    }

    /// When a refused call should be tried again, in nanoseconds from now; 0 if nothing is known.
    long retryAfterNanos(int priority) {
        return gate.retryAfterNanos(priority, busy == allBusy);
    }

    /// Whether something waits that may go, and an instance is free to run it.
    @Hot
    boolean hasWork() {
        return busy != allBusy && !halted && levels.isReady(closed);
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
            } else if (levels.isPatient()) {
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
        return levels.isPatient() && busy != allBusy && !halted && levels.arm();
    }

    /// An agent is about to park: returns when it has to look again, or [BatchPolicy#NEVER].
    long watch() {
        return levels.isPatient() && busy != allBusy && !halted ? levels.watch() : BatchPolicy.NEVER;
    }

    /// An agent that parked with [#watch()] is awake.
    void unwatch() {
        levels.unwatch();
    }

    /// Whether something waits for company that an instance is free to run later.
    boolean isWaiting() {
        return levels.isPatient() && levels.isWaiting() && busy != allBusy;
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
        Slice slice = levels.count() > 1 ? takePassedOver(limit) : null;
        for (int priority = 0; priority < levels.count() && slice == null; priority++) {
            slice = take(priority, limit);
        }
        return slice;
    }

    /// Takes the next slice from a level that was passed over too often, the lowest first.
    @Hot
    private Slice takePassedOver(int limit) {
        for (int priority = levels.count() - 1; priority > 0; priority--) {
            if (levels.get(priority).passed() >= MOST_PASSED) {
                return take(priority, limit);
            }
        }
        return null;
    }

    @Hot
    private Slice take(int priority, int limit) {
        Level level = levels.get(priority);
        boolean deadlined = hasDeadlines();
        long first = level.skipDead(counters, deadlined);
        long last = level.last(first, limit, closed, deadlined);
        int instance = Long.numberOfTrailingZeros(~busy);
        if (last < first || instance >= slices.length) {
            return null;
        }
        setBusy(instance);
        if (halted) {
            clearBusy(instance);
            return null;
        }
        level.take(instance, last, deadlined);
        levels.taken(priority);
        Slice slice = slices[instance];
        slice.set(level, first, level.ring().slot(first), (int) (last - first + 1));
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

    @Hot
    private void run(Slice slice) {
        long now = clock.getAsLong();
        slice.started(now, recorder.beginBatch());
        if (recorder.isDue(now)) {
            recorder.adapt(now, counters.acceptedSum());
        }
        if (hasDeadlines() && slice.ring().expire(slice.first(), slice.count(), now)) {
            slice.level().free(slice);
            freeInstance(slice);
            return;
        }
        Throwable failure = start(slice);
        if (failure != LATER) {
            finished(slice, failure);
        }
    }

    /// Has a slice or a part of it run. Returns null if it was, [#LATER], or why it could not be.
    @Hot
    private Throwable start(Slice slice) {
        try {
            return backend.start(slice.instance(), slice.firstSlot(), slice.count()) ? null : LATER;
        } catch (Throwable t) {
            return t;
        }
    }

    /// Told by a backend that what it started for an instance has been run, or has failed.
    @Hot
    void completed(int instance, Throwable failure) {
        finished(slices[instance], failure);
        handOver();
    }

    /// Answers a slice that was run, or fails it, and frees its slots. If its run has failed its halves are run.
    @Hot
    private void finished(Slice slice, Throwable failure) {
        Throwable problem = failure;
        while (problem == null ? succeeded(slice) : failed(slice, problem)) {
            slice.remember();
            answers.tell(slice);
            slice.resumed(clock.getAsLong());
            problem = start(slice);
            if (problem == LATER) {
                return;
            }
        }
        if (slice.splits() > 0) {
            slice.whole();
        }
        slice.remember();
        slice.level().free(slice);
        answers.tell(slice);
        if (slice.isAnyAnswered()) {
            gate.breaker().succeeded();
        } else if (slice.isAnyFailed()) {
            failedWholly(problem);
        }
        if (slice.dead() > 0) {
            counters.died(slice.dead());
        }
        if (slice.event() != null) {
            endEvent(slice, slice.isAnyFailed());
        }
        freeInstance(slice);
    }

    /// Answers what was run; true if another part of the slice is to be run.
    @Hot
    private boolean succeeded(Slice slice) {
        slice.ended(clock.getAsLong());
        long nanos = slice.endNanos() - slice.startNanos();
        cost.observe(slice.count(), nanos);
        counters.ran(slice.endNanos());
        recorder.batch(slice.count(), nanos);
        slice.ran(true);
        answers.deliver(slice);
        return slice.next();
    }

    /// A run of it has failed, or was terminated because nobody waited for it any more; true if a part is to be run.
    private boolean failed(Slice slice, Throwable failure) {
        if (slice.ring().isDead(slice.first(), slice.count())) {
            answers.abandon(slice);
            return slice.next();
        }
        if (!halted && slice.split()) {
            counters.split();
            return true;
        }
        if (answers.fail(slice, failure) == Outcome.FAILED) {
            slice.ran(false);
        }
        return slice.next();
    }

    private void failedWholly(Throwable failure) {
        if (gate.breaker().failed(clock.getAsLong(), String.valueOf(failure.getMessage()))) {
            LOG.warn("{}", gate.brokenness());
        }
    }

    private void endEvent(Slice slice, boolean failed) {
        recorder.endBatch(slice.event(), slice.instance(), slice.count(), slice.dead(), levels.queued(), failed);
    }

    /// Lets others have the instance; those who had rows in its slice were told.
    @Hot
    private void freeInstance(Slice slice) {
        clearBusy(slice.instance());
        VarHandle.fullFence();
    }

    /// Whether the sweeper has anything to look after here.
    boolean isToBeSwept() {
        return hasDeadlines() || cancelled;
    }

    /// Whether requests with deadlines are in flight.
    @Hot
    boolean hasDeadlines() {
        return deadlines.get() > 0;
    }

    /// Ends every overdue request that has slots, and runs that nobody waits for. By the sweeper.
    void sweep(long nowNanos) {
        cancelled = false;
        levels.expire(nowNanos);
        for (Slice slice : slices) {
            if ((busy & 1L << slice.instance()) != 0) {
                terminateIfDead(slice);
            }
        }
    }

    private void terminateIfDead(Slice slice) {
        long run = backend.running(slice.instance());
        if (run >= 0 && slice.ring().isDead(slice.first(), slice.count()) && backend.terminate(slice.instance(), run)) {
            counters.terminated();
        }
    }

    /// Takes note that an accepted request has ended.
    @Hot
    void ended(Outcome outcome) {
        counters.ended(outcome);
    }

    /// Says that a completion threw.
    void complain(Throwable e) {
        LOG.error("a completion of a call to {} threw", spec.describe(), e);
    }

    /// Takes note that a request with a deadline has ended.
    @Hot
    void deadlineEnded() {
        deadlines.getAndDecrement();
    }

    /// Takes note that a request was cancelled: perhaps a run is for nobody now.
    void cancelled() {
        cancelled = true;
        sweeper.wake();
    }

    @Hot
    boolean isOpen() {
        return !closed;
    }

    /// Why it takes no requests now; empty if it takes them.
    String unavailability() {
        return closed ? closedness() : gate.brokenness();
    }

    /// Why it takes no requests when it is closed.
    String closedness() {
        return spec.describe() + " is closed";
    }

    /// Refuses new requests. Those already claimed become padding or are answered.
    void refuse() {
        closed = true;
    }

    /// Takes requests again after [#refuse()].
    void admit() {
        closed = false;
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
        return levels.queued() == 0 && busy == 0;
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
                    backend.terminate(slice.instance(), backend.running(slice.instance()));
                }
            }
            LockSupport.parkNanos(1_000_000);
        }
        levels.awaitPublished();
        // Whoever was about to take a slice when the lane was halted passes over dead slots first: wait for him.
        while (!token.compareAndSet(false, true)) {
            Thread.onSpinWait();
        }
        token.set(false);
        levels.endAll(Outcome.UNAVAILABLE);
    }

    /// Frees the backend, and what is kept. The lane is drained or abandoned.
    @Override
    public void close() {
        answers.close();
        if (cache != null) {
            cache.close();
        }
        backend.close();
    }
}
