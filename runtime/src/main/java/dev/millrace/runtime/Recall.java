// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.TensorSet;
import dev.millrace.cache.CacheShare;
import dev.millrace.memory.MemoryExceededException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.LongSupplier;

/// What the response cache does for one call: it looks for an answer before the request is given slots, and keeps the
/// one that the model gave where there was none.
///
/// Threads: as the call.
final class Recall {
    private static final ThreadLocal<Queue<Found>> TELLING = new ThreadLocal<>();

    private final CacheShare share;
    private final LaneCounters counters;
    private final LongSupplier clock;
    private long hash;
    private boolean missed;

    /// A request whose answer was found, and which was not told yet.
    private record Found(Call call, int generation) {}

    Recall(CacheShare share, LaneCounters counters, LongSupplier clock) {
        this.share = share;
        this.counters = counters;
        this.clock = clock;
    }

    /// Looks for an answer to what the call's inputs are, and gives it to its outputs.
    ///
    /// @return OK if there was one, NOT_FOUND if not, or why the request is refused
    Outcome find(Call call, long deadline) {
        missed = false;
        if (!call.lane().isOpen()) {
            return Outcome.NOT_FOUND;
        }
        try {
            if (!find(call.tensors())) {
                return Outcome.NOT_FOUND;
            }
        } catch (MemoryExceededException e) {
            call.outOfMemory(e);
            return e.isHopeless(call.heldBytes()) ? Outcome.TOO_LARGE : Outcome.OVERLOADED;
        }
        return deadline != Ticket.NO_DEADLINE && clock.getAsLong() - deadline > 0 ? Outcome.EXPIRED : Outcome.OK;
    }

    private boolean find(TensorSet tensors) {
        long start = clock.getAsLong();
        hash = share.hash(tensors);
        boolean found = share.find(hash, tensors);
        long nanos = clock.getAsLong() - start;
        if (found) {
            counters.cacheHit(nanos);
        } else {
            counters.cacheMissed(nanos);
        }
        missed = !found;
        return found;
    }

    /// The model has answered the request. Before its owner is told, who may change its tensors.
    void answered(TensorSet tensors) {
        if (missed) {
            missed = false;
            long start = clock.getAsLong();
            share.put(hash, tensors);
            counters.cached(clock.getAsLong() - start);
        }
    }

    /// Ends a request whose answer was found. A completion that submits the next request, whose answer is found, too,
    /// would be told of that while it runs, and so on until the stack is full: on one thread one is told after the
    /// other.
    ///
    /// @param telling whether the request has a completion
    void end(Call call, int generation, boolean telling) {
        if (!telling) {
            call.end(generation, Outcome.OK);
            return;
        }
        Queue<Found> waiting = TELLING.get();
        if (waiting != null) {
            waiting.add(new Found(call, generation));
            return;
        }
        waiting = new ArrayDeque<>();
        TELLING.set(waiting);
        try {
            call.end(generation, Outcome.OK);
            for (Found next = waiting.poll(); next != null; next = waiting.poll()) {
                next.call().end(next.generation(), Outcome.OK);
            }
        } finally {
            TELLING.remove();
        }
    }
}
