// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.model.ModelConfig;
import dev.millrace.plan.LanePlan;
import dev.millrace.plan.LaneSpec;
import dev.millrace.policy.CostModel;
import dev.millrace.policy.Objective;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;

/// When the rows that wait in a lane may go although more could join them, and how many go together. A lane whose rows
/// never wait for company has none.
///
/// The lane is due once its oldest row has waited for the delay, or earlier if a deadline asks for it; it also goes
/// when a preferred size is reached, or the largest. `goAt` is never later than the time at which some waiting row is
/// due: whoever publishes a row lowers it afterwards, and whoever takes rows sets it anew from those that are left.
/// `armedAt` is the time until which some agent has been told to look again, so that one wake-up per batch is enough.
///
/// Threads: any; what says so only under the lane's token.
final class BatchPolicy {
    /// No time at all.
    static final long NEVER = Long.MAX_VALUE;

    /// What lies between the time that a parked agent was given and its run.
    private static final long WAKE_UP_NANOS = 100_000;

    private static final VarHandle GO_AT;
    private static final VarHandle ARMED_AT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            GO_AT = lookup.findVarHandle(BatchPolicy.class, "goAt", long.class);
            ARMED_AT = lookup.findVarHandle(BatchPolicy.class, "armedAt", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int[] preferred;
    /// When the row in a slot came. Written before the slot is published.
    private final long[] arrivals;
    /// Null if nothing is to be chosen.
    private final Objective objective;

    private Ring ring;
    private CostModel cost;
    private volatile int maxBatch;
    private final long delayNanos;
    private volatile long goAt = NEVER;
    private volatile long armedAt = NEVER;

    /// The earlier of two times, either of which may be [#NEVER].
    static long earlier(long one, long other) {
        if (one == NEVER || other == NEVER) {
            return one == NEVER ? other : one;
        }
        return other - one < 0 ? other : one;
    }

    /// For one level of a lane, or null if its rows never wait.
    static BatchPolicy of(LanePlan plan) {
        LaneSpec spec = plan.spec();
        ModelConfig config = plan.config();
        if (config.objectiveP99().isPresent()) {
            long bound = config.objectiveP99().get().toNanos();
            return new BatchPolicy(
                    spec.largestCapacity(), spec.maxBatch(), new Objective(bound, spec.maxBatch(), spec.instances()));
        }
        long delay = config.maxQueueDelay().orElse(Duration.ZERO).toNanos();
        if (delay == 0 && config.preferredBatchSizes().isEmpty()) {
            return null;
        }
        return new BatchPolicy(spec.largestCapacity(), spec.maxBatch(), config.preferredBatchSizes(), delay);
    }

    /// What is given.
    ///
    /// @param capacity slots of the ring
    /// @param maxBatch the most rows in one run
    /// @param preferred sizes at which a batch need not wait, ascending, none over `maxBatch`; none: the largest
    /// @param delayNanos how long the oldest row waits for others
    BatchPolicy(int capacity, int maxBatch, List<Integer> preferred, long delayNanos) {
        this(capacity, maxBatch, preferred, delayNanos, null);
    }

    /// What is chosen while the lane runs.
    ///
    /// @param capacity slots of the ring
    /// @param maxBatch the most rows in one run
    /// @param objective who chooses
    BatchPolicy(int capacity, int maxBatch, Objective objective) {
        this(capacity, maxBatch, List.of(), 0, objective);
    }

    private BatchPolicy(int capacity, int maxBatch, List<Integer> preferred, long delayNanos, Objective objective) {
        this.arrivals = new long[capacity];
        this.maxBatch = maxBatch;
        this.preferred = preferred.stream().mapToInt(Integer::intValue).toArray();
        this.delayNanos = delayNanos;
        this.objective = objective;
    }

    /// The lane's ring and what it learns. Before the lane gets requests.
    void attach(Ring lanesRing, CostModel lanesCost) {
        ring = lanesRing;
        cost = lanesCost;
    }

    /// The most rows in one run.
    int maxBatch() {
        return maxBatch;
    }

    /// How long the oldest row waits for others, in nanoseconds.
    long delayNanos() {
        return delayNanos;
    }

    /// Notes when a request's rows came and returns when they have to go. By the claimer, before it publishes.
    @Hot
    long arrive(Call call, long first, int rows, long now) {
        for (int i = 0; i < rows; i++) {
            arrivals[ring.index(first + i)] = now;
        }
        return goTime(now, call.deadlineNanos());
    }

    @Hot
    private long goTime(long arrival, long deadlineNanos) {
        long at = arrival + delayNanos;
        if (deadlineNanos == Ticket.NO_DEADLINE) {
            return at;
        }
        // Nothing known about the run: no time to lose.
        long run = (long) Math.min(cost.estimate(maxBatch), 1e15);
        long latest = deadlineNanos - run - WAKE_UP_NANOS;
        return latest - at < 0 ? latest : at;
    }

    /// A row waits that has to go at `at`. After it was published.
    @Hot
    void lower(long at) {
        long now = goAt;
        while ((now == NEVER || at - now < 0) && !GO_AT.compareAndSet(this, now, at)) {
            now = goAt;
        }
    }

    /// Finds out when the rows from `first` on have to go. Under the token.
    ///
    /// @param deadlined whether any of them may have a deadline
    @Hot
    void lookAgain(long first, boolean deadlined, long now) {
        goAt = NEVER;
        VarHandle.fullFence();
        for (long sequence = first; ring.available(sequence, 1) == sequence; sequence++) {
            Ticket ticket = ring.ticket(sequence);
            long at = goTime(
                    arrivals[ring.index(sequence)], ticket == null ? Ticket.NO_DEADLINE : ticket.deadlineNanos());
            lower(at);
            if (!deadlined || at - now <= 0) {
                // Those behind it came later, or it decides.
                return;
            }
        }
    }

    /// Whether what waits is enough for a batch, or has waited long enough. A look only; [#batch] decides.
    @Hot
    boolean mayGo(LongSupplier clock) {
        if (delayNanos == 0 || isDue(clock.getAsLong())) {
            return true;
        }
        long first = ring.next();
        int enough = Math.min(enough(), ring.untilWrap(first));
        return ring.queued() >= enough && ring.available(first, enough) - first + 1 >= enough;
    }

    @Hot
    private boolean isDue(long now) {
        long at = goAt;
        return at != NEVER && at - now <= 0;
    }

    /// The number of rows that need not wait for more.
    @Hot
    int enough() {
        return preferred.length == 0 ? maxBatch : Math.min(preferred[0], maxBatch);
    }

    /// How many rows from `first` on make the next batch, 0 if they wait for more or are not to be cut. Under the
    /// token.
    ///
    /// @param limit the most that the turner may run; it does not cut what others have waited for
    /// @param closed whether nothing waits any more
    @Hot
    int batch(long first, int limit, boolean closed, long now) {
        if (objective != null) {
            maxBatch = objective.rows(now, ring.claimed(), ring.queued(), cost);
        }
        int room = Math.min(maxBatch, ring.untilWrap(first));
        int waiting = (int) (ring.available(first, room) - first + 1);
        boolean patient = delayNanos > 0;
        if (patient && !closed && !isDue(now) && waiting < Math.min(enough(), room)) {
            return 0;
        }
        int rows = preferred(waiting);
        return rows <= limit || !patient ? Math.min(rows, limit) : 0;
    }

    /// The largest preferred size that `rows` reach, or `rows`.
    @Hot
    private int preferred(int rows) {
        for (int i = preferred.length - 1; i >= 0; i--) {
            if (preferred[i] <= rows) {
                return preferred[i];
            }
        }
        return rows;
    }

    /// Whether an agent has to be told to look at the time at which the rows that wait have to go; it counts as told.
    @Hot
    boolean arm() {
        while (true) {
            long at = goAt;
            long armed = armedAt;
            if (delayNanos == 0 || at == NEVER || (armed != NEVER && at - armed >= 0)) {
                return false;
            }
            if (ARMED_AT.compareAndSet(this, armed, at)) {
                return true;
            }
        }
    }

    /// An agent that is about to park will look again when the rows that wait have to go. Returns when that is.
    long watch() {
        armedAt = NEVER;
        VarHandle.fullFence();
        long at = goAt;
        armedAt = at;
        return at;
    }

    /// An agent does no longer watch.
    void unwatch() {
        armedAt = NEVER;
    }

    /// Whether rows wait, due or not.
    @Hot
    boolean isWaiting() {
        return goAt != NEVER;
    }
}
