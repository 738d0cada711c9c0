// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.ort.OrtFailure;
import java.util.concurrent.ThreadLocalRandom;
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

    Answers(LaneSpec spec, Backend backend, LaneCounters counters) {
        this.spec = spec;
        this.backend = backend;
        this.counters = counters;
    }

    /// Ends the requests of a slice or a part of it that was run.
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
        tellAnswered(slice);
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
                slice.answered(offset);
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
            call.unpin(generation);
        } else {
            slice.died(count);
        }
        return count;
    }

    /// Tells of the requests that have been answered, when all of them are counted: one addition for all.
    @Hot
    private void tellAnswered(Slice slice) {
        int count = slice.answered();
        if (count > 0) {
            counters.answered(count);
        }
        for (int i = 0; i < count; i++) {
            long sequence = slice.first() + slice.answeredOffset(i);
            ((Call) slice.ring().ticket(sequence)).settleCounted(slice.ring().generation(sequence), Outcome.OK);
        }
        slice.told();
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
            case OrtFailure e when e.isOutOfMemory() -> Outcome.OVERLOADED;
            default -> Outcome.FAILED;
        };
    }

    /// What the requests are told of a failure. One of the model is logged.
    private String tell(Outcome outcome, Throwable failure) {
        if (outcome != Outcome.FAILED) {
            return "model '" + spec.model() + "': " + failure.getMessage();
        }
        String id = Long.toHexString(ThreadLocalRandom.current().nextLong());
        LOG.error("model {} version {} failed, error id {}", spec.model(), spec.version(), id, failure);
        return "model '" + spec.model() + "' failed on this batch: " + failure.getMessage() + " (error id " + id + ")";
    }
}
