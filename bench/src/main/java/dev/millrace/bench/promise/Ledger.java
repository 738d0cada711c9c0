// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.route.Gate;
import dev.millrace.runtime.Outcome;
import java.util.concurrent.atomic.AtomicInteger;

/// What became of each request. Its arrays are made before the first request, and nothing is made after.
///
/// Threads: the generator's notes what it submits and what was refused at once, any other may tell the ends; it is read
/// when [#open()] is 0. All times come as `System.nanoTime` and are kept from the start.
public final class Ledger {
    private final long start;
    private final long[] due;
    private final long[] submitted;
    private final long[] ended;
    private final Outcome[] outcomes;
    private final boolean[] refused;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger wrong = new AtomicInteger();
    private int count;

    /// @param start what times are counted from
    /// @param due when each request is due, from the start
    Ledger(long start, long[] due) {
        this.start = start;
        this.due = due;
        this.submitted = new long[due.length];
        this.ended = new long[due.length];
        this.outcomes = new Outcome[due.length];
        this.refused = new boolean[due.length];
    }

    /// The next request is about to be submitted.
    void submitting(int request, long now) {
        submitted[request] = now - start;
        count = request + 1;
        open.incrementAndGet();
    }

    /// The request was not accepted.
    void refused(int request, Outcome why, long now) {
        refused[request] = true;
        ended(request, why, now);
    }

    /// An accepted request has ended.
    void ended(int request, Outcome how, long now) {
        ended[request] = now - start;
        outcomes[request] = how;
        open.decrementAndGet();
    }

    /// An answer is not what the floor gave. Told before the request ends.
    void wrong() {
        wrong.incrementAndGet();
    }

    /// Requests that were submitted and have not ended.
    int open() {
        return open.get();
    }

    /// Requests that were submitted.
    int count() {
        return count;
    }

    long due(int request) {
        return due[request];
    }

    long submitted(int request) {
        return submitted[request];
    }

    long ended(int request) {
        return ended[request];
    }

    Outcome outcome(int request) {
        return outcomes[request];
    }

    boolean isRefused(int request) {
        return refused[request];
    }

    /// Whether the answer came, and came within `bound` nanoseconds of when the request was due.
    boolean isGood(int request, long bound) {
        return outcomes[request] == Outcome.OK && ended[request] - due[request] <= bound;
    }

    /// Refuses figures of a run in which something happened that must not: a wrong answer, an accepted request that was
    /// neither answered nor expired, a refusal for another reason than overload.
    ///
    /// @throws Gate.Refusal if so
    Ledger checked() {
        if (wrong.get() > 0) {
            throw new Gate.Refusal(wrong.get() + " answers are not the floor's", null);
        }
        for (int request = 0; request < count; request++) {
            Outcome outcome = outcomes[request];
            Outcome other = refused[request] ? Outcome.OVERLOADED : Outcome.OK;
            if (outcome != other && outcome != Outcome.EXPIRED) {
                throw new Gate.Refusal("a request ended as " + outcome, null);
            }
        }
        return this;
    }
}
