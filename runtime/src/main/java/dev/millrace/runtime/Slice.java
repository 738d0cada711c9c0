// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;

/// Consecutive slots that one instance runs as one batch. Made once per instance and reused.
///
/// Threads: whoever took it, until it is released; handed to another thread only through the backend.
final class Slice {
    private final int instance;
    private long first;
    private int firstSlot;
    private int count;
    private long startNanos;

    Slice(int instance) {
        this.instance = instance;
    }

    @Hot
    void set(long first, int firstSlot, int count) {
        this.first = first;
        this.firstSlot = firstSlot;
        this.count = count;
    }

    @Hot
    void started(long nanos) {
        startNanos = nanos;
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

    /// When its run began, by `System.nanoTime()`.
    long startNanos() {
        return startNanos;
    }
}
