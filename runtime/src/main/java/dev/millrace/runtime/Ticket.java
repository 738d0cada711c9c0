// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// The state of one request, in one word, so that completion, expiry and cancellation cannot race.
///
/// The word holds a generation, the number of pins, the outcome (0 while the request lives) and whether it was
/// delivered. A ticket is reused; its generation tells an old request from the present one, so that a slot that still
/// refers to an ended request finds it dead. Every end is one compare-and-set of a living word. A thread that touches
/// the caller's memory pins the ticket first: while it is pinned an end may be decided, but it is settled by the last
/// to unpin. So the caller's memory is never written after its request was answered, and every request is answered
/// exactly once.
///
/// Threads: [#prepare], [#accept] and [#reject] by the owner, while no request is open; everything else from any
/// thread.
abstract class Ticket {
    /// The deadline of a request that has none.
    static final long NO_DEADLINE = Long.MAX_VALUE;

    private static final VarHandle WORD;
    private static final VarHandle REMAINING;
    private static final VarHandle DEADLINE;

    private static final int GENERATION_SHIFT = 32;
    private static final long PIN = 1L << 16;
    private static final long PINS = 0xFFFFL << 16;
    private static final long DELIVERED = 1L << 8;
    private static final long OUTCOME = 0xFFL;
    private static final Outcome[] OUTCOMES = Outcome.values();

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(Ticket.class, "word", long.class);
            REMAINING = lookup.findVarHandle(Ticket.class, "remaining", int.class);
            DEADLINE = lookup.findVarHandle(Ticket.class, "deadlineNanos", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // through WORD
    private volatile long word = DELIVERED | code(Outcome.CANCELLED);

    // The word publishes what follows: both are written before it brings a request to life, and read after it.

    @SuppressWarnings("unused") // through REMAINING
    private int remaining;

    @SuppressWarnings("unused") // through DEADLINE
    private long deadlineNanos = NO_DEADLINE;

    private volatile Thread waiter;

    /// Prepares the next request, of `rows` rows, and returns its generation. It lives from [#accept(int)] on.
    @Hot
    final int prepare(int rows, long deadline) {
        requireDelivered();
        DEADLINE.setOpaque(this, deadline);
        REMAINING.setOpaque(this, rows);
        return generation() + 1;
    }

    /// Checks that no request is open.
    @Hot
    final void requireDelivered() {
        if (!isDelivered()) {
            throw new IllegalStateException("the call is still in flight");
        }
    }

    /// Brings a prepared request to life: from here on it can be ended.
    @Hot
    final void accept(int generation) {
        WORD.setRelease(this, (long) generation << GENERATION_SHIFT);
    }

    /// Ends a prepared request that was not accepted, without telling anybody.
    @Hot
    final void reject(int generation, Outcome outcome) {
        WORD.setRelease(this, (long) generation << GENERATION_SHIFT | DELIVERED | code(outcome));
    }

    /// Whether this request is neither ended nor replaced by a later one.
    @Hot
    final boolean isLive(int generation) {
        long now = word;
        return (int) (now >>> GENERATION_SHIFT) == generation && (now & OUTCOME) == 0;
    }

    /// Whether no request is open: the last one has been delivered to its owner.
    @Hot
    final boolean isDelivered() {
        return (word & DELIVERED) != 0;
    }

    /// How the last request ended; meaningful once it is delivered.
    @Hot
    final Outcome outcome() {
        return OUTCOMES[(int) (word & OUTCOME) - 1];
    }

    /// The generation of the present or last request.
    @Hot
    final int generation() {
        return (int) (word >>> GENERATION_SHIFT);
    }

    @Hot
    final long deadlineNanos() {
        return (long) DEADLINE.getOpaque(this);
    }

    /// Keeps a living request from being delivered; false if it has ended. Every success needs one [#unpin(int)].
    @Hot
    final boolean pin(int generation) {
        while (true) {
            long now = word;
            if ((int) (now >>> GENERATION_SHIFT) != generation || (now & OUTCOME) != 0) {
                return false;
            }
            if (WORD.compareAndSet(this, now, now + PIN)) {
                return true;
            }
        }
    }

    /// Gives a pin back; settles the request if it has ended meanwhile and this was the last pin.
    @Hot
    final void unpin(int generation) {
        while (true) {
            long now = word;
            long next = now - PIN;
            if (WORD.compareAndSet(this, now, next)) {
                if ((next & PINS) == 0 && (next & OUTCOME) != 0) {
                    settle(generation, OUTCOMES[(int) (next & OUTCOME) - 1]);
                }
                return;
            }
        }
    }

    /// Ends a living request as answered, if `rows` rows are all that it waits for and nobody has it pinned. From then
    /// on nobody else touches it until the caller, having given it its answer, calls [#settle(int, Outcome)]. This
    /// is the short way of pinning, answering and unpinning: one compare-and-set.
    @Hot
    final boolean endAnswered(int generation, int rows) {
        long living = (long) generation << GENERATION_SHIFT;
        return word == living
                && (int) REMAINING.getOpaque(this) == rows
                && WORD.compareAndSet(this, living, living | code(Outcome.OK));
    }

    /// Counts `rows` rows of a pinned request as answered; the last ones end it.
    @Hot
    final void answered(int generation, int rows) {
        int left = (int) REMAINING.getAndAdd(this, -rows) - rows;
        if (left == 0) {
            end(generation, Outcome.OK);
        }
    }

    /// Ends a living request; false if it had ended before. It is settled now, or by the last to unpin it.
    @Hot
    final boolean end(int generation, Outcome outcome) {
        while (true) {
            long now = word;
            if ((int) (now >>> GENERATION_SHIFT) != generation || (now & OUTCOME) != 0) {
                return false;
            }
            if (WORD.compareAndSet(this, now, now | code(outcome))) {
                if ((now & PINS) == 0) {
                    settle(generation, outcome);
                }
                return true;
            }
        }
    }

    /// Waits until the open request is delivered. It expires when its deadline passes; if the thread is interrupted it
    /// is cancelled, and the thread's interrupt status is set. By the owner.
    final void await(LongSupplier clock) {
        int generation = generation();
        boolean interrupted = false;
        waiter = Thread.currentThread();
        while (!isDelivered()) {
            if (deadlineNanos() == NO_DEADLINE) {
                LockSupport.park(this);
            } else {
                long left = deadlineNanos() - clock.getAsLong();
                if (left <= 0) {
                    end(generation, Outcome.EXPIRED);
                }
                LockSupport.parkNanos(this, Math.max(1000, left));
            }
            if (Thread.interrupted()) {
                interrupted = true;
                end(generation, Outcome.CANCELLED);
            }
        }
        waiter = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Wakes an owner who waits, after [#deliver(int, Outcome)].
    @Hot
    final void unparkWaiter() {
        Thread thread = waiter;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /// Ends whichever request is open now as expired, if its deadline is before `nowNanos`.
    @Hot
    final boolean expire(long nowNanos) {
        int generation = generation();
        long deadline = deadlineNanos();
        return deadline != NO_DEADLINE && deadline - nowNanos < 0 && end(generation, Outcome.EXPIRED);
    }

    /// Called once per accepted request, by the thread that ended it or unpinned it last. Nobody else touches the
    /// ticket until [#deliver(int, Outcome)] or [#deliverQuietly(int, Outcome)] is called, which is this
    /// method's duty.
    @Hot
    abstract void settle(int generation, Outcome outcome);

    /// Gives the ticket back to its owner, who may prepare the next request at once. What the caller reads after this
    /// is not older than what an owner wrote who did not see it.
    @Hot
    final void deliver(int generation, Outcome outcome) {
        WORD.setVolatile(this, (long) generation << GENERATION_SHIFT | DELIVERED | code(outcome));
    }

    /// Gives the ticket back to an owner who does not wait for it but is told.
    @Hot
    final void deliverQuietly(int generation, Outcome outcome) {
        WORD.setRelease(this, (long) generation << GENERATION_SHIFT | DELIVERED | code(outcome));
    }

    @Hot
    private static long code(Outcome outcome) {
        return outcome.ordinal() + 1L;
    }
}
