// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Hot;
import java.util.concurrent.atomic.AtomicInteger;

/// Whether a run may be terminated: only while it is in progress, so that a termination that comes late neither hits
/// the next run nor run options that are freed.
///
/// Threads: [#begin()] and [#end()] by the one that runs; [#terminate(Runnable)] from any.
final class Termination {
    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int TERMINATING = 2;
    private static final int TERMINATED = 3;

    private final AtomicInteger state = new AtomicInteger();

    /// A run begins.
    @Hot
    void begin() {
        state.setRelease(RUNNING);
    }

    /// The run has ended. Returns whether it was terminated; then what that left behind is to be reset.
    @Hot
    boolean end() {
        if (state.compareAndSet(RUNNING, IDLE)) {
            return false;
        }
        awaitTerminated();
        return true;
    }

    private void awaitTerminated() {
        while (state.get() != TERMINATED) {
            Thread.onSpinWait();
        }
    }

    /// Does `action` if a run is in progress that has not been terminated yet; the run does not end meanwhile.
    void terminate(Runnable action) {
        if (state.compareAndSet(RUNNING, TERMINATING)) {
            try {
                action.run();
            } finally {
                state.set(TERMINATED);
            }
        }
    }
}
