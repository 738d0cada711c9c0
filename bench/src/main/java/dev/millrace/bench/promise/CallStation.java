// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import java.util.function.IntUnaryOperator;

/// A model in this process, asked by calls that are used again and again. Every answer's first number is compared with
/// the floor's.
///
/// Threads: the generator's; completions come on the runtime's. Ownership: it closes its calls.
public final class CallStation implements Station {
    /// More than the runtime keeps in its queue and in a run.
    private static final int CALLS = 2048;

    private final Questions questions;
    private final Flight[] flights = new Flight[CALLS];
    private int next;
    private long timeout = NO_TIMEOUT;
    private IntUnaryOperator priorities = _ -> 0;

    public CallStation(Model model, Questions questions) {
        this.questions = questions;
        for (int i = 0; i < CALLS; i++) {
            flights[i] = new Flight(model.call());
        }
    }

    @Override
    public void timeout(long nanos) {
        timeout = nanos;
    }

    /// Sets the priorities of what follows, by request; 0 is the model's default.
    public void priorities(IntUnaryOperator byRequest) {
        priorities = byRequest;
    }

    @Override
    public Outcome submit(Ledger ledger, int request) {
        while (!flights[next].done) {
            next = next + 1 & CALLS - 1;
        }
        return flights[next].submit(ledger, request);
    }

    @Override
    public void idle() {
        Thread.onSpinWait();
    }

    @Override
    public void close() {
        for (Flight flight : flights) {
            flight.call.close();
        }
    }

    /// A call, and which request it carries.
    private final class Flight implements Completion {
        private final Call call;
        private Ledger ledger;
        private int request;
        private volatile boolean done = true;

        Flight(Call call) {
            this.call = call;
        }

        Outcome submit(Ledger into, int index) {
            ledger = into;
            request = index;
            call.timeoutNanos(timeout);
            call.priority(priorities.applyAsInt(index));
            call.input(0).putFloats(questions.row(index));
            done = false;
            Outcome admission = call.submit(this);
            if (admission != Outcome.OK) {
                done = true;
            }
            return admission;
        }

        @Override
        public void completed(Call ended, Outcome how) {
            long now = System.nanoTime();
            if (how == Outcome.OK && !questions.isRight(request, ended.output(0).getFloat(0))) {
                ledger.wrong();
            }
            ledger.ended(request, how, now);
            done = true;
        }
    }
}
