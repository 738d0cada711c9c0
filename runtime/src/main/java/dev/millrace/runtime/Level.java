// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Hot;
import dev.millrace.policy.CostModel;
import java.util.function.LongSupplier;

/// The rows of one priority level that wait in a lane: their ring, and when they may go.
///
/// Threads: as said for each method; [Lane] has the rules.
final class Level {
    /// The part of the time until a deadline that a run is planned with: what it costs is a mean.
    private static final double CERTAIN = 0.9;

    private final Ring ring;
    private final Backend backend;
    private final LongSupplier clock;
    private final int maxBatch;
    /// Null if no row waits for company.
    private final BatchPolicy policy;
    private final CostModel cost;
    /// Slices of higher levels that were taken while rows waited here. Under the token.
    private int passed;

    /// @param maxBatch the most rows in one run
    /// @param policy when rows that wait may go; null: as soon as somebody can run them
    /// @param cost what a run costs
    Level(Ring ring, Backend backend, int maxBatch, BatchPolicy policy, CostModel cost, LongSupplier clock) {
        this.ring = ring;
        this.backend = backend;
        this.maxBatch = maxBatch;
        this.policy = policy;
        this.cost = cost;
        this.clock = clock;
    }

    @Hot
    Ring ring() {
        return ring;
    }

    /// The most rows in one run now.
    @Hot
    int maxBatch() {
        return policy == null ? maxBatch : policy.maxBatch();
    }

    /// Whether rows may be held back for others.
    @Hot
    boolean mayHoldBack() {
        return policy != null;
    }

    /// Puts a call's rows into claimed slots and publishes them; from then on anybody may end the request. By the
    /// claimer.
    @Hot
    void publish(Call call, int generation, long first, int rows) {
        load(call, generation, first, rows);
        if (call.isTimed()) {
            call.timing().loaded();
        }
        long goTime = policy == null ? BatchPolicy.NEVER : policy.arrive(call, first, rows, clock.getAsLong());
        // From here on its owner may do as it likes with the call.
        call.accept(generation);
        ring.publish(first, rows);
        if (policy != null) {
            policy.lower(goTime);
        }
    }

    /// Copies the rows in at most two pieces: up to the wrap and after it.
    @Hot
    private void load(Call call, int generation, long first, int rows) {
        for (int i = 0; i < rows; i++) {
            ring.assign(first + i, call, generation, i);
        }
        int untilWrap = Math.min(rows, ring.untilWrap(first));
        TensorSet kept = backend.load(call.tensors(), 0, ring.slot(first), untilWrap);
        if (untilWrap < rows) {
            kept = backend.load(kept, untilWrap, ring.firstSlot(), rows - untilWrap);
        }
        call.tensors(kept);
    }

    /// Gives claimed slots back as padding. By the claimer.
    @Hot
    void pad(long first, int rows) {
        for (int i = 0; i < rows; i++) {
            ring.assign(first + i, null, 0, 0);
        }
        ring.publish(first, rows);
    }

    /// Whether something waits that may go.
    ///
    /// @param closed whether nothing waits for company any more
    @Hot
    boolean isReady(boolean closed) {
        return ring.hasPublished() && (policy == null || closed || policy.mayGo(clock));
    }

    /// Passes over padding and over requests that have ended, which need no run. Returns the next sequence. Under the
    /// token.
    ///
    /// @param deadlined whether any request may have a deadline
    @Hot
    long skipDead(LaneCounters counters, boolean deadlined) {
        long front = ring.next();
        long next = front;
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
        if (next > front) {
            counters.skipped(next - front);
            lookAgain(next, deadlined);
        }
        return next;
    }

    /// The last sequence of the batch that begins with `first`, before it if nothing is to be taken. Under the token.
    ///
    /// @param limit the most rows that may be taken
    /// @param deadlined whether any request may have a deadline
    @Hot
    long last(long first, int limit, boolean closed, boolean deadlined) {
        int rows = policy == null
                ? Math.min(limit, ring.untilWrap(first))
                : policy.batch(first, limit, closed, clock.getAsLong());
        long last = untilPadding(first, ring.available(first, rows));
        return deadlined && last > first ? inTime(first, last) : last;
    }

    /// Cuts a batch so that it ends before the deadlines of its rows. Rows whose deadline cannot be met anyway do not
    /// count, and it is not cut to where a row costs twice as much: then all that follow would be late.
    @Hot
    private long inTime(long first, long last) {
        long now = clock.getAsLong();
        double alone = cost.estimate(1);
        int least = cost.efficientRows(maxBatch);
        double left = Double.POSITIVE_INFINITY;
        for (long sequence = first; sequence <= last; sequence++) {
            long deadline = ring.ticket(sequence).deadlineNanos();
            if (deadline != Ticket.NO_DEADLINE && deadline - now > alone) {
                left = Math.min(left, CERTAIN * (deadline - now));
            }
            int rows = (int) (sequence - first) + 1;
            if (rows > least && cost.estimate(rows) > left) {
                return sequence - 1;
            }
        }
        return last;
    }

    @Hot
    private long untilPadding(long first, long last) {
        long sequence = first;
        while (sequence < last && ring.ticket(sequence + 1) != null) {
            sequence++;
        }
        return Math.min(sequence, last);
    }

    /// Takes the slots up to `last` for an instance to run. Under the token.
    @Hot
    void take(int instance, long last, boolean deadlined) {
        ring.take(instance, last);
        lookAgain(last + 1, deadlined);
        passed = 0;
    }

    /// Frees the slots of a slice, whose requests have ended, told or not. By whoever ran it.
    @Hot
    void free(Slice slice) {
        for (int i = 0; i < slice.count(); i++) {
            ring.clear(slice.first() + i);
        }
        backend.release(slice.firstSlot(), slice.count());
        ring.release(slice.instance());
    }

    @Hot
    private void lookAgain(long first, boolean deadlined) {
        if (policy != null) {
            policy.lookAgain(first, deadlined, clock.getAsLong());
        }
    }

    /// A slice of a higher level was taken. Under the token.
    @Hot
    void passOver() {
        if (ring.hasPublished()) {
            passed++;
        }
    }

    /// Slices of higher levels that were taken since the last one of this, while rows waited here. Under the token.
    @Hot
    int passed() {
        return passed;
    }

    /// As [BatchPolicy#arm()].
    @Hot
    boolean arm() {
        return policy != null && policy.arm();
    }

    /// As [BatchPolicy#watch()].
    long watch() {
        return policy == null ? BatchPolicy.NEVER : policy.watch();
    }

    /// As [BatchPolicy#unwatch()].
    void unwatch() {
        if (policy != null) {
            policy.unwatch();
        }
    }

    /// Whether rows wait for company.
    boolean isWaiting() {
        return policy != null && policy.isWaiting();
    }
}
