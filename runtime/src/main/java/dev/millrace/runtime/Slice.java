// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.monitor.BatchEvent;

/// Consecutive slots that one instance runs as one batch. Made once per instance and reused. When its run fails it is
/// run in parts, so that one bad row does not fail the others; [#first()] and [#count()] are then those of the part.
///
/// Threads: whoever took it, until it is released; handed to another thread only through the backend. The sweeper looks
/// at it meanwhile, and finds out afterwards whether what it saw was still so.
final class Slice {
    /// Levels of halving that the largest batch may need.
    private static final int MOST_PENDING = Integer.SIZE;
    private static final byte NOTHING = 0;
    private static final byte ANSWERED = 1;
    private static final byte PINNED = 2;

    private final int instance;
    private Level level;
    private long wholeFirst;
    private int wholeCount;
    private long first;
    private int firstSlot;
    private int count;
    private long startNanos;
    private long endNanos;
    private int dead;
    private BatchEvent event;
    /// By row of the whole: whether its request is to be told, and by whom.
    private final byte[] owed;

    private final int[] owedGenerations;
    /// Whose rows they are, once the slots may be gone.
    private final Object[] tickets;

    private int answered;

    /// Parts that are to be run after this one: the offset of each in the whole, and the end of the last.
    private final int[] pending = new int[MOST_PENDING];

    private int pendingCount;
    private int splits;
    private boolean anyAnswered;
    private boolean anyFailed;

    /// @param maxBatch the most slots
    Slice(int instance, int maxBatch) {
        this.instance = instance;
        this.owed = new byte[maxBatch];
        this.owedGenerations = new int[maxBatch];
        this.tickets = new Object[maxBatch];
    }

    /// @param of where the slots are from; null for slots that no request has
    @Hot
    void set(Level of, long firstSequence, int slot, int slots) {
        level = of;
        wholeFirst = firstSequence;
        wholeCount = slots;
        first = firstSequence;
        firstSlot = slot;
        count = slots;
        pendingCount = 0;
        splits = 0;
    }

    /// @param begun its event of Flight Recorder, or null
    @Hot
    void started(long nanos, BatchEvent begun) {
        startNanos = nanos;
        dead = 0;
        anyAnswered = false;
        anyFailed = false;
        event = begun;
    }

    /// A part of it is started.
    void resumed(long nanos) {
        startNanos = nanos;
    }

    @Hot
    void ended(long nanos) {
        endNanos = nanos;
    }

    /// Makes its first half what is run next, and then the second. Not for ever: a batch of which most rows fail is not
    /// worth it. False if it is not to be split.
    boolean split() {
        if (count < 2 || splits > 2 * (Integer.SIZE - Integer.numberOfLeadingZeros(wholeCount))) {
            return false;
        }
        splits++;
        int half = count / 2;
        int offset = (int) (first - wholeFirst);
        if (pendingCount == 0) {
            pending[pendingCount++] = offset + count;
        }
        pending[pendingCount++] = offset + half;
        count = half;
        return true;
    }

    /// Goes on to the next part; false if there is none.
    @Hot
    boolean next() {
        if (pendingCount == 0) {
            return false;
        }
        pendingCount--;
        if (pendingCount == 0) {
            return false;
        }
        part(pending[pendingCount], pending[pendingCount - 1]);
        return true;
    }

    @Hot
    private void part(int from, int to) {
        firstSlot += (int) (wholeFirst + from - first);
        first = wholeFirst + from;
        count = to - from;
    }

    /// Goes back from the last part to the whole.
    @Hot
    void whole() {
        part(0, wholeCount);
    }

    /// How often it was split.
    @Hot
    int splits() {
        return splits;
    }

    /// Takes note of rows that were run for nobody.
    @Hot
    void died(int rows) {
        dead += rows;
    }

    /// Takes note that a request is to be told, when its slots are free for others.
    ///
    /// @param offset of one of its rows in the part
    /// @param pinned whether it is pinned, and told by whoever unpins it last
    @Hot
    void owes(int offset, int generation, boolean pinned) {
        int row = (int) (first - wholeFirst) + offset;
        owed[row] = pinned ? PINNED : ANSWERED;
        owedGenerations[row] = generation;
        answered += pinned ? 0 : 1;
    }

    /// How many of those there are that are not pinned.
    @Hot
    int answered() {
        return answered;
    }

    /// Remembers whose rows they are, before they are gone.
    @Hot
    void remember() {
        level.ring().copyTickets(wholeFirst, wholeCount, tickets);
    }

    /// Tells those that are owed it and remembered.
    @Hot
    void tell() {
        answered = 0;
        for (int row = 0; row < wholeCount; row++) {
            byte how = owed[row];
            if (how != NOTHING) {
                owed[row] = NOTHING;
                tell((Call) tickets[row], owedGenerations[row], how == PINNED);
            }
            tickets[row] = null;
        }
    }

    @Hot
    private static void tell(Call call, int generation, boolean pinned) {
        if (pinned) {
            call.unpin(generation);
        } else {
            call.settleCounted(generation, Outcome.OK);
        }
    }

    /// A run of it, or of a part, has ended well, or has failed with requests in it that still waited.
    @Hot
    void ran(boolean well) {
        anyAnswered |= well;
        anyFailed |= !well;
    }

    /// Whether a run of it or of a part ended well.
    @Hot
    boolean isAnyAnswered() {
        return anyAnswered;
    }

    /// Whether a run failed somebody.
    @Hot
    boolean isAnyFailed() {
        return anyFailed;
    }

    /// Where its slots are from.
    @Hot
    Level level() {
        return level;
    }

    /// The ring of its slots.
    @Hot
    Ring ring() {
        return level.ring();
    }

    /// Which instance runs it.
    int instance() {
        return instance;
    }

    /// The first sequence.
    long first() {
        return first;
    }

    /// The first slot; the others follow without a wrap.
    int firstSlot() {
        return firstSlot;
    }

    /// How many slots, which is the batch size.
    int count() {
        return count;
    }

    /// When its run began, by the lane's clock.
    long startNanos() {
        return startNanos;
    }

    /// When its run ended, by the same clock.
    long endNanos() {
        return endNanos;
    }

    /// Rows that nobody waited for any more when they had been run.
    int dead() {
        return dead;
    }

    /// Its event of Flight Recorder, or null if nobody wants it.
    BatchEvent event() {
        return event;
    }
}
