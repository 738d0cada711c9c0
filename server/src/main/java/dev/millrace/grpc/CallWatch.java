// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// The calls of one event loop that have not ended. While there are some it looks at all of them at a steady pace, to
/// see whose client takes too long; without calls nothing wakes up.
///
/// Threads: the event loop's.
final class CallWatch {
    private static final long LONGEST_PAUSE_MILLIS = 1000;
    /// Of the shortest time limit: so much later than its end may be seen.
    private static final int PARTS = 8;
    private static final List<Limit> TIMES = List.of(Limit.IDLE_TIMEOUT, Limit.BODY_TIMEOUT, Limit.WRITE_TIMEOUT);

    private final EventExecutor executor;
    private final LongSupplier clock;
    private final long pauseMillis;
    private final List<CallTracer> open = new ArrayList<>();
    private final Runnable look = this::look;
    private boolean looking;

    /// @param clock nanoseconds
    CallWatch(EventExecutor executor, Limits limits, LongSupplier clock) {
        this.executor = executor;
        this.clock = clock;
        long shortest = TIMES.stream()
                .mapToLong(limits::get)
                .filter(limit -> limit > 0)
                .min()
                .orElse(0);
        this.pauseMillis = shortest == 0 ? 0 : Math.clamp(shortest / PARTS, 1, LONGEST_PAUSE_MILLIS);
    }

    void add(CallTracer call) {
        call.place(open.size());
        open.add(call);
        if (!looking && pauseMillis > 0) {
            looking = true;
            pause();
        }
    }

    void remove(CallTracer call) {
        CallTracer last = open.removeLast();
        if (call.place() < open.size()) {
            open.set(call.place(), last);
            last.place(call.place());
        }
    }

    private void pause() {
        var _ = executor.schedule(look, pauseMillis, TimeUnit.MILLISECONDS);
    }

    private void look() {
        lookAtAll();
        if (open.isEmpty()) {
            looking = false;
        } else {
            pause();
        }
    }

    /// Looks at all of them now.
    void lookAtAll() {
        long now = clock.getAsLong();
        // Whoever is ended by this may leave at once.
        for (CallTracer call : List.copyOf(open)) {
            call.look(now);
        }
    }
}
