// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.SingleThreadIoEventLoop;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// An event loop that does something at given times more precisely than timers of the operating system go: before every
/// look at its sockets it asks what is due. Until shortly before the next time it sleeps, then it looks at its sockets
/// again and again without sleeping.
final class PacedLoop extends SingleThreadIoEventLoop {
    private static final Runnable NOTHING = () -> {};

    private final long spinNanos;
    private LongSupplier work;
    private long timer;

    /// @param spinNanos how long before the next time it stops to sleep
    PacedLoop(ThreadFactory threads, IoHandlerFactory handlers, long spinNanos) {
        super(null, threads, handlers);
        this.spinNanos = spinNanos;
    }

    /// From now on does what is due. Threads: the loop's.
    ///
    /// @param pump does it, and returns when it wants to be called again: a time of `System.nanoTime`, or
    ///     `MAX_VALUE` for never
    void pace(LongSupplier pump) {
        work = pump;
    }

    @Override
    protected int runIo() {
        if (work != null) {
            prepare(work.getAsLong());
        }
        return super.runIo();
    }

    /// A task that is there lets the loop look at its sockets without waiting; one for later wakes it.
    private void prepare(long next) {
        if (next == Long.MAX_VALUE || isShuttingDown()) {
            return;
        }
        long wait = next - System.nanoTime();
        if (wait <= spinNanos) {
            Thread.yield(); // whoever else wants this core, the server perhaps, need not wait for the scheduler
            execute(NOTHING);
        } else if (next != timer) {
            timer = next;
            var _ = schedule(NOTHING, wait - spinNanos, TimeUnit.NANOSECONDS);
        }
    }
}
