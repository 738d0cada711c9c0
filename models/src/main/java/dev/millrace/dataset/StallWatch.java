// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import java.time.Duration;

/// Interrupts a thread that does not come back from another's code: a reader of damaged files may wait for what never
/// comes.
///
/// Threads: the one that made it enters and leaves; one of its own watches. Ownership: whoever made it closes it.
public final class StallWatch implements AutoCloseable {
    private static final long MOST_MILLIS = 1_000;
    private static final int LOOKS = 4;

    private final Thread owner = Thread.currentThread();
    private final long limitNanos;
    private final long lookMillis;
    private boolean inside;
    private boolean tripped;
    private boolean closed;
    private long since;

    /// A watch of the thread that makes it.
    ///
    /// @param limit how long that may be away
    public StallWatch(Duration limit) {
        this.limitNanos = limit.toNanos();
        this.lookMillis = Math.clamp(limit.toMillis() / LOOKS, 1, MOST_MILLIS);
        Thread.ofPlatform().daemon().name("millrace-stall-watch").start(this::watch);
    }

    /// The thread goes away.
    public synchronized void enter() {
        inside = true;
        since = System.nanoTime();
    }

    /// The thread is back; whether it had to be interrupted, now or before.
    public synchronized boolean leave() {
        inside = false;
        if (tripped) {
            Thread.interrupted(); // it was meant for what the thread comes from
        }
        return tripped;
    }

    private synchronized void watch() {
        try {
            while (!closed) {
                wait(lookMillis);
                if (inside && !tripped && System.nanoTime() - since > limitNanos) {
                    tripped = true;
                    owner.interrupt();
                }
            }
        } catch (InterruptedException _) {
            // nobody does that, and then nobody watches
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }
}
