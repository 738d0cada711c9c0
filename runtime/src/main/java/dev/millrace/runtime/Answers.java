// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.monitor.FailureLog;
import dev.millrace.ort.OrtFailure;
import dev.millrace.plan.LaneSpec;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives the requests of a slice that was run their answers, or says why there is none.
///
/// Threads: for each slice whoever ran it.
final class Answers {
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    private final LaneSpec spec;
    private final Backend backend;
    private final LaneCounters counters;
    private final LongSupplier clock;
    private final FailureLog failures;

    Answers(LaneSpec spec, Backend backend, LaneCounters counters, LongSupplier clock) {
        this.spec = spec;
        this.backend = backend;
        this.counters = counters;
        this.clock = clock;
        this.failures = new FailureLog(LOG, spec.describe());
    }

    /// Nothing will be answered any more.
    void close() {
        failures.close(clock.getAsLong());
    }

    /// Ends the requests of a slice or a part of it that was run; they are to be told.
    @Hot
    void deliver(Slice slice) {
        deliver(slice, Outcome.OK, "");
    }

    /// Ends the requests of a slice or a part of it whose run has failed.
    ///
    /// @return how they ended
    Outcome fail(Slice slice, Throwable failure) {
        Outcome outcome = outcome(failure);
        deliver(slice, outcome, tell(outcome, failure));
        return outcome;
    }

    /// Ends what nobody waits for.
    void abandon(Slice slice) {
        deliver(slice, Outcome.FAILED, "");
    }

    @Hot
    private void deliver(Slice slice, Outcome outcome, String problem) {
        int done = 0;
        while (done < slice.count()) {
            done += answer(slice, done, outcome, problem);
        }
    }

    /// Answers the rows from `offset` on that belong to one request; returns how many they are.
    @Hot
    @SuppressWarnings("ReferenceEquality") // a ticket is what it is, not what it says
    private int answer(Slice slice, int offset, Outcome outcome, String problem) {
        Ring ring = slice.ring();
        long sequence = slice.first() + offset;
        Ticket ticket = ring.ticket(sequence);
        int generation = ring.generation(sequence);
        int firstRow = ring.row(sequence);
        int count = 1;
        while (offset + count < slice.count()
                && ring.ticket(sequence + count) == ticket
                && ring.generation(sequence + count) == generation) {
            count++;
        }
        Call call = (Call) ticket;
        int firstSlot = slice.firstSlot() + offset;
        if (outcome == Outcome.OK && call.endAnswered(generation, count)) {
            Outcome given = give(call, slice, firstRow, firstSlot, count);
            if (given == Outcome.OK) {
                slice.owes(offset, generation, false);
            } else {
                call.settle(generation, given);
            }
        } else if (call.pin(generation)) {
            Outcome ended = outcome;
            if (outcome == Outcome.OK) {
                ended = give(call, slice, firstRow, firstSlot, count);
            } else {
                call.problem(outcome, problem);
            }
            if (ended == Outcome.OK) {
                call.answered(generation, count);
            } else {
                call.end(generation, ended);
            }
            slice.owes(offset, generation, true);
        } else {
            slice.died(count);
        }
        return count;
    }

    /// Tells the requests that have ended, when all of them are counted: one addition for all. Whoever is told may ask
    /// again at once: the slots should be free by then, or it would find the queue full of what was answered.
    @Hot
    void tell(Slice slice) {
        if (slice.answered() > 0) {
            counters.answered(slice.answered());
        }
        slice.tell();
    }

    /// Copies an answer out, and says how that ended: one that cannot be copied fails its own request only.
    @Hot
    private Outcome give(Call call, Slice slice, int firstRow, int firstSlot, int count) {
        try {
            if (call.isTimed()) {
                call.timing().ranIn(slice);
            }
            call.tensors(backend.unload(call.ownTensors(), firstRow, firstSlot, count));
            return Outcome.OK;
        } catch (RuntimeException | Error e) {
            Outcome outcome = outcome(e);
            call.problem(outcome, tell(outcome, e));
            return outcome;
        }
    }

    /// What a failure is to the requests that it ends: not having room for an answer or a run is no fault of the model.
    private static Outcome outcome(Throwable failure) {
        return switch (failure) {
            case MemoryExceededException e -> e.isHopeless(0) ? Outcome.TOO_LARGE : Outcome.OVERLOADED;
            case InferenceException e -> e.outcome();
            case OrtFailure e when e.isOutOfMemory() -> Outcome.OVERLOADED;
            default -> Outcome.FAILED;
        };
    }

    /// What the requests are told of a failure. One of the model is logged, or counted there.
    private String tell(Outcome outcome, Throwable failure) {
        if (outcome != Outcome.FAILED || failure instanceof InferenceException) {
            // Not its own, or a step's, which was logged there.
            return "model '" + spec.model() + "': " + failure.getMessage();
        }
        String id = failures.failed(failure, clock.getAsLong());
        return "model '" + spec.model() + "' failed on this batch: " + failure.getMessage() + " (error id " + id + ")";
    }
}
