// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Hot;
import java.util.concurrent.atomic.AtomicLong;

/// Whether a run may be terminated: only while it is in progress, so that a termination that comes late neither hits
/// the next run nor run options that are freed. Runs are numbered, so that who looked at one does not hit another.
///
/// Threads: [#begin()] and [#end()] by the one that runs; [#running()] and [#terminate(long, Runnable)] from any.
final class Termination {
    /// No run is in progress.
    static final long NONE = -1;

    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int TERMINATING = 2;
    private static final int TERMINATED = 3;
    private static final int PHASE_BITS = 2;
    private static final long PHASE = 3;

    /// The run's number, and its phase in the lowest bits.
    private final AtomicLong state = new AtomicLong();

    /// A run begins.
    @Hot
    void begin() {
        state.setRelease(state(number() + 1, RUNNING));
    }

    /// The run has ended. Returns whether it was terminated; then what that left behind is to be reset.
    @Hot
    boolean end() {
        long number = number();
        if (state.compareAndSet(state(number, RUNNING), state(number, IDLE))) {
            return false;
        }
        awaitTerminated();
        return true;
    }

    /// What is known of the run's thread by then was written before it began.
    long running() {
        long now = state.get();
        return (now & PHASE) == RUNNING ? now >>> PHASE_BITS : NONE;
    }

    private void awaitTerminated() {
        while ((state.get() & PHASE) != TERMINATED) {
            Thread.onSpinWait();
        }
    }

    /// Does `action` if run `number` is in progress and has not been terminated yet; it does not end meanwhile. Returns
    /// whether it did.
    boolean terminate(long number, Runnable action) {
        if (number == NONE || !state.compareAndSet(state(number, RUNNING), state(number, TERMINATING))) {
            return false;
        }
        try {
            action.run();
        } finally {
            state.set(state(number, TERMINATED));
        }
        return true;
    }

    @Hot
    private long number() {
        return state.getPlain() >>> PHASE_BITS;
    }

    @Hot
    private static long state(long number, int phase) {
        return number << PHASE_BITS | phase;
    }
}
