// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// Threads that ask a lane in every way there is, at random: callers that wait, callers that are told, event loops;
/// with deadlines, cancellations and requests that fail. Near the end the lane is closed under them.
final class Traffic {
    /// What is attacked.
    interface Target extends AutoCloseable {
        Call call();

        Turner turner();

        int maxRows();

        void fill(Call call, int rows, int value);

        /// Makes a filled request fail, where the target can.
        void poison(Call call);

        /// What is wrong with the answer, or null.
        String wrong(Call call, int rows, int value);

        LaneStatistics statistics();

        void shutDown();

        /// Whether what is to happen meanwhile has happened.
        default boolean isDone() {
            return true;
        }

        /// Whether a request may fail, or be refused as unavailable before it is shut down.
        default boolean mayBreak() {
            return true;
        }

        @Override
        void close();
    }

    private static final int WINDOW = 6;

    private final Target target;
    private final long seed;
    private final int requests;
    private final AtomicReference<Throwable> problem = new AtomicReference<>();
    private volatile boolean shuttingDown;
    private final AtomicBoolean finished = new AtomicBoolean();
    private final List<Call> calls = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    Traffic(Target target, long seed, int requests) {
        this.target = target;
        this.seed = seed;
        this.requests = requests;
    }

    void run() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            worker(false, new Caller(i));
            worker(true, new Caller(10 + i));
        }
        worker(false, new Loop(20, null));
        worker(true, new Loop(21, null));
        worker(false, new Loop(22, target.turner()));
        Thread canceller = Thread.ofPlatform().start(this::cancelAtRandom);
        threads.forEach(Thread::start);
        while ((target.statistics().accepted() < requests || !target.isDone()) && problem.get() == null) {
            LockSupport.parkNanos(100_000);
        }
        shuttingDown = true;
        target.shutDown();
        for (Thread thread : threads) {
            thread.join();
        }
        finished.set(true);
        canceller.join();
        calls.forEach(Call::close);
        if (problem.get() != null) {
            throw new AssertionError("a worker failed", problem.get());
        }
        LaneStatistics statistics = target.statistics();
        MillraceTest.assertConserved(statistics);
        assertThat(statistics.ended().get(Outcome.OK)).as("%s", statistics).isGreaterThan(requests / 4);
    }

    private Call newCall() {
        Call call = target.call();
        calls.add(call);
        return call;
    }

    private void worker(boolean virtual, Runnable body) {
        Runnable guarded = () -> {
            try {
                body.run();
            } catch (Throwable t) {
                problem.compareAndSet(null, t);
            }
        };
        threads.add(
                virtual
                        ? Thread.ofVirtual().unstarted(guarded)
                        : Thread.ofPlatform().unstarted(guarded));
    }

    private void cancelAtRandom() {
        SplittableRandom random = new SplittableRandom(seed);
        while (!finished.get()) {
            calls.get(random.nextInt(calls.size())).cancel();
            LockSupport.parkNanos(200_000);
        }
    }

    /// One request at a time: what it asks, and whether what comes is right.
    private final class Asker {
        private final Call call = newCall();
        private final SplittableRandom random;
        private int rows;
        private int value;
        private boolean poisoned;

        Asker(long salt) {
            random = new SplittableRandom(seed * 1000 + salt);
        }

        void prepare() {
            int max = random.nextInt(8) == 0 ? target.maxRows() : Math.min(4, target.maxRows());
            rows = random.nextInt(1, max + 1);
            value = random.nextInt(100_000);
            target.fill(call, rows, value);
            poisoned = random.nextInt(200) == 0;
            if (poisoned) {
                target.poison(call);
            }
            call.timeoutNanos(random.nextInt(4) == 0 ? random.nextInt(1, 500_000) : Call.NO_TIMEOUT);
        }

        /// Whether the lane is closed.
        boolean judge(Outcome outcome) {
            switch (outcome) {
                case OK -> {
                    String wrong = target.wrong(call, rows, value);
                    if (wrong != null) {
                        throw new AssertionError(rows + " rows from " + value + ": " + wrong);
                    }
                }
                case UNAVAILABLE -> {
                    if (!shuttingDown && !target.mayBreak()) {
                        throw new AssertionError(outcome + " " + call.message());
                    }
                    return true;
                }
                case OVERLOADED -> Thread.yield();
                case EXPIRED, CANCELLED -> {}
                case FAILED -> {
                    if (!target.mayBreak()) {
                        throw new AssertionError(outcome + " " + call.message());
                    }
                }
                default -> throw new AssertionError(outcome + " " + call.message());
            }
            return false;
        }
    }

    /// Asks and waits.
    private final class Caller implements Runnable {
        private final Asker asker;

        Caller(long salt) {
            asker = new Asker(salt);
        }

        @Override
        public void run() {
            Outcome outcome;
            do {
                asker.prepare();
                outcome = asker.call.run();
                assertThat(asker.call.outcome()).isEqualTo(outcome);
            } while (!asker.judge(outcome));
        }
    }

    /// Keeps several requests in flight and is told; with a turner it is an event loop that turns by itself.
    private final class Loop implements Runnable {
        private final Turner turner;
        private final List<Flight> flights = new ArrayList<>();

        Loop(long salt, Turner turner) {
            this.turner = turner;
            for (int i = 0; i < WINDOW; i++) {
                flights.add(new Flight(new Asker(salt * 100 + i)));
            }
        }

        @Override
        public void run() {
            boolean closed = false;
            while (!closed || flights.stream().anyMatch(flight -> flight.submitted != flight.told.get())) {
                for (Flight flight : flights) {
                    if (flight.submitted == flight.told.get()) {
                        closed |= flight.land() || (!closed && flight.takeOff(turner));
                    }
                }
                if (turner != null) {
                    turner.turn();
                }
                Thread.yield();
            }
        }
    }

    /// A reusable call and how often it was submitted and told.
    private static final class Flight implements Completion {
        private final Asker asker;
        private final AtomicInteger told = new AtomicInteger();
        private volatile Outcome outcome;
        private int submitted;

        Flight(Asker asker) {
            this.asker = asker;
        }

        @Override
        public void completed(Call call, Outcome ended) {
            outcome = ended;
            told.getAndIncrement();
        }

        boolean land() {
            Outcome ended = outcome;
            outcome = null;
            return ended != null && asker.judge(ended);
        }

        boolean takeOff(Turner turner) {
            asker.prepare();
            submitted++;
            Outcome admission = turner == null ? asker.call.submit(this) : turner.submit(asker.call, this);
            if (admission != Outcome.OK) {
                submitted--;
                return asker.judge(admission);
            }
            return false;
        }
    }
}
