// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread that expires overdue requests wherever they wait, and terminates runs that nobody waits for any more.
/// There is no timer per request: while requests with deadlines are in flight it walks their lanes' slots every half
/// millisecond, otherwise it parks.
final class Sweeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
    private static final long INTERVAL_NANOS = 500_000;
    /// Rounds without a deadline in sight before parking, so that steady traffic need not wake it each time.
    private static final int IDLE_ROUNDS = 200;

    private final List<Lane> lanes = new CopyOnWriteArrayList<>();
    private final LongSupplier clock;
    private final AtomicBoolean parked = new AtomicBoolean();
    private final Thread thread;
    private volatile boolean stopped;

    Sweeper(LongSupplier clock) {
        this.clock = clock;
        this.thread = Thread.ofPlatform().daemon().name("millrace-sweeper").unstarted(this::run);
    }

    Sweeper start() {
        thread.start();
        return this;
    }

    void add(Lane lane) {
        lanes.add(lane);
    }

    void remove(Lane lane) {
        lanes.remove(lane);
    }

    /// Tells that a deadline has come into sight, or that a request was cancelled.
    @Hot
    void wake() {
        if (parked.get() && parked.compareAndSet(true, false)) {
            LockSupport.unpark(thread);
        }
    }

    /// One walk over all lanes; whether there was anything to look after. A lane that fails is looked after again.
    private boolean sweepSafely() {
        try {
            return sweep();
        } catch (RuntimeException | Error e) {
            LOG.error("the sweeper failed and goes on", e);
            return true;
        }
    }

    /// One walk over all lanes; whether there was anything to look after.
    boolean sweep() {
        long now = clock.getAsLong();
        boolean found = false;
        for (Lane lane : lanes) {
            if (lane.isToBeSwept()) {
                found = true;
                lane.sweep(now);
            }
        }
        return found;
    }

    private void run() {
        int idleRounds = 0;
        while (!stopped) {
            idleRounds = sweepSafely() ? 0 : idleRounds + 1;
            if (idleRounds < IDLE_ROUNDS) {
                LockSupport.parkNanos(this, INTERVAL_NANOS);
            } else {
                park();
                idleRounds = 0;
            }
        }
    }

    private void park() {
        parked.set(true);
        VarHandle.fullFence();
        while (parked.get() && !stopped && !sweepSafely()) {
            LockSupport.park(this);
        }
        parked.set(false);
    }

    @Override
    public void close() {
        stopped = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
