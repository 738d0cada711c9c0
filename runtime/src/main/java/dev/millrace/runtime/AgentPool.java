// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.policy.FairShare;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The threads that turn lanes when nobody else does: heavy models, and what callers leave behind.
///
/// An agent turns the lane that has had the least time of those that have work, each by its weight; when there is none
/// it looks on for a short while, and then parks. It announces that it parks before it looks a last time, and [#wake()]
/// looks for announced agents after the work was published, so no work is left waiting. Where rows wait for company it
/// parks until the first of them has to go.
final class AgentPool implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentPool.class);
    /// Rounds without work before parking: a few microseconds, far less than a wake-up costs.
    private static final int IDLE_ROUNDS = 200;
    /// Slices of one lane before an agent looks at the others again, if none of them had work.
    private static final int SLICES_ALONE = 4;

    private final List<Lane> lanes = new CopyOnWriteArrayList<>();
    private final FairShare share = new FairShare();
    private final LongSupplier clock;
    private final Agent[] agents;
    private volatile boolean stopped;

    AgentPool(int threads) {
        this(threads, System::nanoTime);
    }

    /// @param clock what their turns are timed by, in nanoseconds
    AgentPool(int threads, LongSupplier clock) {
        this.clock = clock;
        agents = new Agent[threads];
        for (int i = 0; i < threads; i++) {
            agents[i] = new Agent();
            agents[i].thread =
                    Thread.ofPlatform().daemon().name("millrace-agent-" + i).unstarted(agents[i]);
        }
    }

    /// How many agents leave room for the threads that sessions keep, so that together they are no more than there are
    /// processors; at least one. A session whose runs may use n threads keeps n - 1: its caller is the other one.
    ///
    /// @param processors what the JVM may use, which heeds a container's CPU limit
    /// @param sessions for each session, the threads that one run may use
    static int fitting(int processors, List<Integer> sessions) {
        return (int) Math.max(1, processors - kept(sessions));
    }

    /// Threads that sessions keep of their own.
    static long kept(List<Integer> sessions) {
        return sessions.stream().mapToLong(threads -> threads - 1).sum();
    }

    /// Says so if there is more that wants to run than there are processors.
    static void warnIfMoreThan(int processors, int agents, List<Integer> sessions) {
        long total = agents + kept(sessions);
        if (total > processors) {
            LOG.warn(
                    "{} agents and the threads that sessions keep are {} together, more than the {} processors",
                    agents,
                    total,
                    processors);
        }
    }

    /// The number of threads.
    int size() {
        return agents.length;
    }

    AgentPool start() {
        for (Agent agent : agents) {
            agent.thread.start();
        }
        return this;
    }

    void add(Lane lane) {
        lanes.add(lane);
        wake();
    }

    void remove(Lane lane) {
        lanes.remove(lane);
    }

    /// Wakes one parked agent, if there is one.
    @Hot
    void wake() {
        for (int i = 0; i < agents.length; i++) {
            Agent agent = agents[i];
            if (agent.parked.get() && agent.parked.compareAndSet(true, false)) {
                LockSupport.unpark(agent.thread);
                return;
            }
        }
    }

    /// Stops the threads and waits for them. No lane has work any more.
    @Override
    public void close() {
        stopped = true;
        boolean interrupted = false;
        for (Agent agent : agents) {
            LockSupport.unpark(agent.thread);
            while (agent.thread.isAlive()) {
                try {
                    agent.thread.join();
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Agent implements Runnable {
        private final AtomicBoolean parked = new AtomicBoolean();
        private Thread thread;

        @Override
        public void run() {
            int idleRounds = 0;
            while (!stopped) {
                if (round()) {
                    idleRounds = 0;
                } else if (++idleRounds < IDLE_ROUNDS) {
                    Thread.onSpinWait();
                } else {
                    park();
                    idleRounds = 0;
                }
            }
        }

        private void park() {
            parked.set(true);
            VarHandle.fullFence();
            if (stopped || anyWork()) {
                parked.set(false);
                return;
            }
            long until = watch();
            while (parked.get() && !stopped) {
                if (until == BatchPolicy.NEVER) {
                    LockSupport.park(this);
                } else {
                    long left = until - System.nanoTime();
                    if (left <= 0) {
                        break;
                    }
                    LockSupport.parkNanos(this, left);
                }
            }
            parked.set(false);
            if (until != BatchPolicy.NEVER) {
                lanes.forEach(Lane::unwatch);
            }
        }

        /// When the first of the batches that wait for company has to go.
        private long watch() {
            long first = BatchPolicy.NEVER;
            for (Lane lane : lanes) {
                first = BatchPolicy.earlier(first, lane.watch());
            }
            return first;
        }

        /// Turns the lane whose turn it is; false if there is none.
        private boolean round() {
            Lane next = null;
            long start = 0;
            boolean contested = false;
            for (Lane lane : lanes) {
                if (lane.wantsTurner()) {
                    long itsStart = share.start(lane.share());
                    contested = next != null;
                    if (next == null || itsStart < start) {
                        next = lane;
                        start = itsStart;
                    }
                }
            }
            if (next != null) {
                turn(next, start, contested ? 1 : SLICES_ALONE);
            }
            return next != null;
        }

        private void turn(Lane lane, long start, int slices) {
            try {
                if (anyOtherWaits(lane)) {
                    // This agent was perhaps the one to look at it in time.
                    wake();
                }
                share.begin(start);
                long began = clock.getAsLong();
                lane.turn(null, Long.MAX_VALUE, slices);
                share.end(lane.share(), start, clock.getAsLong() - began);
            } catch (RuntimeException | Error e) {
                LOG.error("{}: an agent failed and goes on", lane.spec().describe(), e);
            }
        }

        private boolean anyOtherWaits(Lane own) {
            for (Lane lane : lanes) {
                if (lane != own && lane.isWaiting()) {
                    return true;
                }
            }
            return false;
        }

        private boolean anyWork() {
            for (Lane lane : lanes) {
                if (lane.wantsTurner()) {
                    return true;
                }
            }
            return false;
        }
    }
}
