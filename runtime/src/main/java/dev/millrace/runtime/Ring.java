// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.InsufficientCapacityException;
import com.lmax.disruptor.MultiProducerSequencer;
import com.lmax.disruptor.Sequence;
import dev.millrace.memory.Hot;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// The ring of slots of a lane: a Disruptor sequencer for claiming and publishing, and what each slot refers to.
///
/// There is no consumer thread: whoever holds the lane's token takes slots. A slot may be claimed again when it was
/// taken and the slice it was taken in has ended. Both are gating sequences: first `taken`, then one per instance that
/// stands before the instance's slice while it runs and at infinity otherwise. The instance's sequence is set before
/// `taken` moves, and the sequencer reads `taken` first, so that no slot of a running slice ever looks free.
///
/// Threads: [#claim(int)], [#publish(long, int)] from any; the rest as said there.
final class Ring {
    private static final long IDLE = Long.MAX_VALUE;
    private static final VarHandle TICKETS = MethodHandles.arrayElementVarHandle(Object[].class);
    /// From how many on one copy is faster than as many stores, each of which the collector wants to know of.
    private static final int MANY = 8;

    private final int capacity;
    private final int mask;
    private final int firstSlot;
    private final MultiProducerSequencer sequencer;
    private final Sequence taken = new Sequence();
    private final Sequence[] running;
    /// Objects, so that they can be copied unlooked at.
    private final Object[] tickets;
    private final int[] generations;
    private final int[] rows;

    /// @param capacity slots, a power of two
    /// @param instances slices that may run at the same time
    Ring(int capacity, int instances) {
        this(0, capacity, instances);
    }

    /// @param firstSlot the lowest slot
    /// @param capacity slots, a power of two
    /// @param instances slices that may run at the same time
    Ring(int firstSlot, int capacity, int instances) {
        this.firstSlot = firstSlot;
        this.capacity = capacity;
        this.mask = capacity - 1;
        this.sequencer = new MultiProducerSequencer(capacity, new BusySpinWaitStrategy());
        this.running = new Sequence[instances];
        this.tickets = new Object[capacity];
        this.generations = new int[capacity];
        this.rows = new int[capacity];
        sequencer.addGatingSequences(taken);
        for (int i = 0; i < instances; i++) {
            running[i] = new Sequence();
            sequencer.addGatingSequences(running[i]);
            // Adding a sequence has set it to the cursor: one that never runs would gate the ring for good.
            running[i].setVolatile(IDLE);
        }
    }

    int capacity() {
        return capacity;
    }

    /// The slot of a sequence.
    @Hot
    int slot(long sequence) {
        return firstSlot + index(sequence);
    }

    /// The lowest slot.
    @Hot
    int firstSlot() {
        return firstSlot;
    }

    /// Where a sequence's entries are in arrays of this ring.
    @Hot
    int index(long sequence) {
        return (int) sequence & mask;
    }

    /// The slots from that of a sequence up to the end of the ring.
    @Hot
    int untilWrap(long sequence) {
        return capacity - index(sequence);
    }

    /// All slots claimed so far.
    @Hot
    long claimed() {
        return sequencer.getCursor() + 1;
    }

    /// Claims `count` consecutive sequences and returns the first, or -1 if the ring is too full.
    @Hot
    long claim(int count) {
        try {
            return sequencer.tryNext(count) - count + 1;
        } catch (InsufficientCapacityException _) {
            return -1;
        }
    }

    /// Says what a claimed slot holds: row `row` of the request `ticket` of that generation, or padding if it is null.
    @Hot
    void assign(long sequence, Ticket ticket, int generation, int row) {
        int index = index(sequence);
        TICKETS.setRelease(tickets, index, ticket);
        generations[index] = generation;
        rows[index] = row;
    }

    /// Hands claimed sequences over to whoever takes them.
    @Hot
    void publish(long first, int count) {
        sequencer.publish(first, first + count - 1);
    }

    /// Whether a published slot waits to be taken.
    @Hot
    boolean hasPublished() {
        return sequencer.isAvailable(taken.get() + 1);
    }

    /// Slots claimed and not yet taken; a snapshot.
    @Hot
    int queued() {
        return (int) Math.max(0, sequencer.getCursor() - taken.get());
    }

    /// Whether every claimed slot has been published.
    boolean isAllPublished() {
        long cursor = sequencer.getCursor();
        return sequencer.getHighestPublishedSequence(taken.get() + 1, cursor) == cursor;
    }

    /// The last of up to `limit` consecutive published sequences that can be taken next, or `first - 1`. Under the
    /// token.
    @Hot
    long available(long first, int limit) {
        long last = Math.min(sequencer.getCursor(), first + limit - 1);
        return last < first ? first - 1 : sequencer.getHighestPublishedSequence(first, last);
    }

    /// The next sequence to be taken. Under the token.
    @Hot
    long next() {
        return taken.get() + 1;
    }

    /// Passes over slots without running them. Under the token.
    @Hot
    void skip(long last) {
        taken.setVolatile(last);
    }

    /// Takes the slots up to `last` for `instance` to run. Under the token.
    @Hot
    void take(int instance, long last) {
        running[instance].setVolatile(taken.get());
        taken.setVolatile(last);
    }

    /// Frees the slots of the slice that `instance` has run.
    @Hot
    void release(int instance) {
        running[instance].set(IDLE);
    }

    @Hot
    Ticket ticket(long sequence) {
        return ticketAt(index(sequence));
    }

    @Hot
    private Ticket ticketAt(int index) {
        return (Ticket) TICKETS.getAcquire(tickets, index);
    }

    /// Copies the tickets of taken slots, which are in one piece.
    @Hot
    void copyTickets(long first, int count, Object[] to) {
        int index = index(first);
        if (count < MANY) {
            for (int i = 0; i < count; i++) {
                to[i] = tickets[index + i];
            }
        } else {
            System.arraycopy(tickets, index, to, 0, count);
        }
    }

    @Hot
    int generation(long sequence) {
        return generations[index(sequence)];
    }

    @Hot
    int row(long sequence) {
        return rows[index(sequence)];
    }

    /// Forgets what a slot referred to. By whoever took it, before it is released.
    @Hot
    void clear(long sequence) {
        TICKETS.setRelease(tickets, index(sequence), null);
    }

    /// Ends every request that still has a slot.
    void endAll(Outcome outcome) {
        for (int index = 0; index < capacity; index++) {
            Ticket ticket = ticketAt(index);
            if (ticket != null) {
                ticket.end(ticket.generation(), outcome);
            }
        }
    }

    /// Expires the overdue requests of taken slots; true if that leaves none alive.
    @Hot
    boolean expire(long first, int count, long nowNanos) {
        boolean allDead = true;
        for (long sequence = first; sequence < first + count; sequence++) {
            Ticket ticket = ticket(sequence);
            ticket.expire(nowNanos);
            allDead &= !ticket.isLive(generation(sequence));
        }
        return allDead;
    }

    /// Whether nobody waits for what is in taken slots.
    boolean isDead(long first, int count) {
        for (long sequence = first; sequence < first + count; sequence++) {
            Ticket ticket = ticket(sequence);
            if (ticket != null && ticket.isLive(generation(sequence))) {
                return false;
            }
        }
        return true;
    }

    /// Expires every overdue request that has a slot. From any thread: a slot that changes meanwhile shows another
    /// ticket, which is judged by its own deadline.
    void expire(long nowNanos) {
        for (int index = 0; index < capacity; index++) {
            Ticket ticket = ticketAt(index);
            if (ticket != null) {
                ticket.expire(nowNanos);
            }
        }
    }
}
