// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/// A model saturated by its own traffic: every completion submits its call again, on the thread that told it.
///
/// Threads: one starts and stops it. Ownership: it closes its calls.
public final class SelfFeeding implements AutoCloseable {
    private static final long PAUSE_NANOS = 1_000_000;

    private final List<Flight> flights = new ArrayList<>();
    private final Questions questions;
    private final LongAdder answered = new LongAdder();
    private final AtomicInteger open = new AtomicInteger();
    private volatile boolean stopping;
    private volatile String problem;

    /// @param inFlight calls in flight
    public SelfFeeding(Millrace runtime, Fixture fixture, int inFlight) {
        questions = new Questions(fixture);
        for (int i = 0; i < inFlight; i++) {
            flights.add(new Flight(runtime.model(fixture.name()).call(), i));
        }
    }

    public void start() {
        stopping = false;
        answered.reset();
        open.set(flights.size());
        flights.forEach(Flight::submit);
    }

    /// Waits for what is in flight, and returns how many rows were answered since the start.
    ///
    /// @throws Gate.Refusal if one was not, or wrongly
    public long stop() {
        stopping = true;
        while (open.get() > 0) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        if (problem != null) {
            throw new Gate.Refusal(problem, null);
        }
        return answered.sum();
    }

    @Override
    public void close() {
        flights.forEach(flight -> flight.call.close());
    }

    private final class Flight implements Completion {
        private final Call call;
        private int request;

        Flight(Call call, int first) {
            this.call = call;
            this.request = first;
        }

        void submit() {
            call.input(0).putFloats(questions.row(request));
            if (call.submit(this) != Outcome.OK) {
                end("a row was refused: " + call.message());
            }
        }

        @Override
        public void completed(Call told, Outcome how) {
            if (how != Outcome.OK) {
                end("a row ended as " + how);
            } else if (!questions.isRight(request, told.output(0).getFloat(0))) {
                end("an answer is not the floor's");
            } else {
                answered.increment();
                request = (request + 1) % questions.count();
                if (stopping) {
                    open.decrementAndGet();
                } else {
                    submit();
                }
            }
        }

        private void end(String why) {
            problem = why;
            open.decrementAndGet();
        }
    }
}
