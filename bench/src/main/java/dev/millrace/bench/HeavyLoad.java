// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Route;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/// Keeps several models of one runtime busy by [Call#submit(Completion)], one row of each at a time, as often as takes
/// a given share of the cores.
///
/// Threads: [#start(double)] and [#stop()] by one; it submits on a thread of its own. Ownership: it closes its calls.
final class HeavyLoad implements AutoCloseable {
    private static final int RUNS = 20;
    private static final long LONGEST_PARK_NANOS = 200_000;

    private final List<Source> sources = new ArrayList<>();
    private final LongAdder answered = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private Thread thread;
    private volatile boolean stopping;

    /// Opens a call of each model and lets it through the gate.
    ///
    /// @throws Gate.Refusal if one answers otherwise than the floor
    HeavyLoad(Millrace runtime, List<Fixture> fixtures) {
        for (Fixture fixture : fixtures) {
            try (Contestant call = fixture.call(runtime, 1)) {
                fixture.gate().check(fixture.name() + ", " + Route.CALL.title(), call, 1);
            }
            sources.add(new Source(runtime, fixture));
        }
    }

    /// Starts to submit.
    ///
    /// @param cores how much of a core all models together are to take, in equal shares; 0 for nothing, infinity
    ///     for one row of each always in flight
    void start(double cores) {
        stopping = false;
        answered.reset();
        thread = Thread.ofPlatform().daemon().name("heavy-load").start(() -> submit(cores / sources.size()));
    }

    private void submit(double share) {
        long now = System.nanoTime();
        for (Source source : sources) {
            source.schedule(now, share);
        }
        while (!stopping) {
            long next = Long.MAX_VALUE;
            for (Source source : sources) {
                next = Math.min(next, source.submitIfDue(System.nanoTime()));
            }
            LockSupport.parkNanos(Math.min(next, LONGEST_PARK_NANOS));
        }
        sources.forEach(Source::awaitDone);
    }

    /// Stops, waits for what is in flight, and returns how many rows were answered since the start.
    ///
    /// @throws Gate.Refusal if one was not
    long stop() {
        stopping = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        if (failed.sum() > 0) {
            throw new Gate.Refusal(failed.sum() + " rows of heavy models were not answered", null);
        }
        return answered.sum();
    }

    @Override
    public void close() {
        sources.forEach(source -> source.call.close());
    }

    /// One model. The load's thread submits, the runtime's tell.
    private final class Source implements Completion {
        private final Call call;
        private final float[][] rows;
        private final double costNanos;
        private int nextRow;
        private long due;
        private long everyNanos;
        private volatile boolean done = true;

        Source(Millrace runtime, Fixture fixture) {
            call = runtime.model(fixture.name()).call();
            rows = fixture.examples().floats();
            for (int run = 0; run < RUNS; run++) {
                run(fixture.name());
            }
            long start = System.nanoTime();
            for (int run = 0; run < RUNS; run++) {
                run(fixture.name());
            }
            costNanos = (double) (System.nanoTime() - start) / RUNS;
        }

        private void run(String model) {
            fill();
            if (call.run() != Outcome.OK) {
                throw new Gate.Refusal(model + " was not answered: " + call.message(), null);
            }
        }

        /// Another row each time: the same one again is quicker, because processors learn its way through trees.
        private void fill() {
            call.input(0).putFloats(rows[nextRow]);
            nextRow = nextRow + 1 == rows.length ? 0 : nextRow + 1;
        }

        void schedule(long now, double share) {
            everyNanos = share == 0 ? Long.MAX_VALUE / 4 : (long) (costNanos / share);
            due = share == 0 ? now + everyNanos : now;
        }

        /// Submits a row if one is due and the last was answered; returns nanoseconds until the next is due.
        long submitIfDue(long now) {
            if (due - now > 0) {
                return due - now;
            }
            if (done) {
                done = false;
                fill();
                due = Math.max(due + everyNanos, now);
                if (call.submit(this) != Outcome.OK) {
                    failed.increment();
                    done = true;
                }
            }
            return 1;
        }

        void awaitDone() {
            while (!done) {
                Thread.onSpinWait();
            }
        }

        @Override
        public void completed(Call ended, Outcome how) {
            if (how == Outcome.OK) {
                answered.increment();
            } else {
                failed.increment();
            }
            done = true;
            LockSupport.unpark(thread);
        }
    }
}
