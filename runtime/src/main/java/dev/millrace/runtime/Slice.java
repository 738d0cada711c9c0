// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.monitor.BatchEvent;

/// Consecutive slots that one instance runs as one batch. Made once per instance and reused.
///
/// Threads: whoever took it, until it is released; handed to another thread only through the backend.
final class Slice {
    private final int instance;
    private long first;
    private int firstSlot;
    private int count;
    private long startNanos;
    private long endNanos;
    private int dead;
    private BatchEvent event;
    /// Where the rows of requests begin that have their answer and were not told yet.
    private final int[] answered;

    private int answeredCount;

    /// @param maxBatch the most slots
    Slice(int instance, int maxBatch) {
        this.instance = instance;
        this.answered = new int[maxBatch];
    }

    @Hot
    void set(long first, int firstSlot, int count) {
        this.first = first;
        this.firstSlot = firstSlot;
        this.count = count;
    }

    /// @param begun its event of Flight Recorder, or null
    @Hot
    void started(long nanos, BatchEvent begun) {
        startNanos = nanos;
        dead = 0;
        answeredCount = 0;
        event = begun;
    }

    @Hot
    void ended(long nanos) {
        endNanos = nanos;
    }

    /// Takes note of rows that were run for nobody.
    @Hot
    void died(int rows) {
        dead += rows;
    }

    /// Takes note that the request whose rows begin at `offset` has its answer.
    @Hot
    void answered(int offset) {
        answered[answeredCount++] = offset;
    }

    /// How many requests have been answered.
    @Hot
    int answered() {
        return answeredCount;
    }

    /// Where the rows of one of them begin.
    @Hot
    int answeredOffset(int index) {
        return answered[index];
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
