// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/// Gives requests that are due to free lines, in turn; where none is free they wait here in order, and their time runs.
///
/// It knows no sockets and reads only the clock it was given. Threads: one, but for the tally's readers.
final class Generator {
    /// What [#pump()] returns when no more requests will be due.
    static final long NEVER = Long.MAX_VALUE;

    private final LoadPlan plan;
    private final Tally tally;
    private final LongSupplier clock;
    private final PoissonArrivals arrivals;
    private final LongQueue waiting = new LongQueue();
    private final ArrayDeque<Line> free = new ArrayDeque<>();
    private final List<Line> lines = new ArrayList<>();
    private int inFlight;
    private boolean started;
    private long start;
    private long end;
    private long next;

    /// @param clock in nanoseconds
    Generator(LoadPlan plan, Tally tally, LongSupplier clock) {
        this.plan = plan;
        this.tally = tally;
        this.clock = clock;
        this.arrivals = plan.isClosed() ? null : new PoissonArrivals(plan.rate(), plan.seed());
    }

    /// The line is open, for the first time or again.
    void opened(Line line) {
        if (!lines.contains(line)) {
            lines.add(line);
        }
        freed(line, clock.getAsLong());
    }

    /// Time starts to run.
    void start() {
        start = clock.getAsLong();
        end = start + plan.warmupNanos() + plan.durationNanos();
        started = true;
        tally.started(start);
        if (plan.isClosed()) {
            for (int i = free.size(); i > 0; i--) {
                freed(free.poll(), clock.getAsLong());
            }
        } else {
            next = start + arrivals.next();
        }
    }

    /// Sends what is due, and returns when the next request will be: a time of the clock, or [#NEVER].
    long pump() {
        if (!started || plan.isClosed()) {
            return NEVER;
        }
        while (next < end) {
            long now = clock.getAsLong();
            if (next > now) {
                return next;
            }
            arrive(next, now);
            next = start + arrivals.next();
        }
        return NEVER;
    }

    private void arrive(long due, long now) {
        Line line = free.poll();
        if (line == null) {
            waiting.add(due);
            tally.late(due, now - due);
            tally.waits(due, waiting.size());
        } else {
            tally.late(due, now - due);
            send(line, due);
        }
        tally.arrived(due);
    }

    private void send(Line line, long due) {
        line.take(due);
        inFlight++;
        line.transmit();
    }

    /// The answer to the line's request is complete. If the connection stays open the line takes the next request.
    void answered(Line line, int status, boolean stays) {
        long now = clock.getAsLong();
        ended(line);
        tally.answered(line.due(), now, status);
        if (stays) {
            freed(line, now);
        } else {
            line.reopen();
        }
    }

    /// The connection was lost, with a request on it or without. The caller opens it again.
    void lost(Line line, String reason) {
        if (line.isBusy()) {
            ended(line);
            tally.failed(line.due(), reason);
        } else {
            free.remove(line);
        }
    }

    private void ended(Line line) {
        line.release();
        inFlight--;
    }

    private void freed(Line line, long now) {
        dropOverdue(now);
        if (!waiting.isEmpty()) {
            send(line, waiting.poll());
        } else if (plan.isClosed() && started && now < end) {
            tally.arrived(now);
            send(line, now);
        } else {
            free.add(line);
        }
    }

    private void dropOverdue(long now) {
        while (!waiting.isEmpty() && now - waiting.peek() >= plan.timeoutNanos()) {
            long due = waiting.poll();
            tally.timedOut(due, now);
        }
    }

    /// Gives up what has taken too long.
    void sweep() {
        long now = clock.getAsLong();
        dropOverdue(now);
        for (Line line : lines) {
            if (line.isBusy() && now - line.due() >= plan.timeoutNanos()) {
                ended(line);
                tally.timedOut(line.due(), now);
                line.reopen();
            }
        }
    }

    /// Whether all that was to be sent was sent, and has ended.
    boolean isDone() {
        return started
                && waiting.isEmpty()
                && inFlight == 0
                && clock.getAsLong() >= end
                && (plan.isClosed() || next >= end);
    }
}
