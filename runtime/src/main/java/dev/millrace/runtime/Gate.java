// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.plan.LaneSpec;
import dev.millrace.policy.Admission;
import dev.millrace.policy.Breaker;
import dev.millrace.policy.CostModel;
import java.util.Locale;
import java.util.function.LongSupplier;

/// Whether a lane takes a request: not if its deadline cannot be met, and not if the model keeps failing.
///
/// Threads: any. What it looks at may change meanwhile; it estimates.
final class Gate {
    /// The time of an answer that nothing is known about.
    static final long UNKNOWN = Long.MAX_VALUE;

    private final LaneSpec spec;
    private final Levels levels;
    private final Slice[] slices;
    private final CostModel cost;
    private final LaneCounters counters;
    private final LongSupplier clock;
    private final Admission admission;
    private final Breaker breaker;

    Gate(LaneSpec spec, Levels levels, Slice[] slices, CostModel cost, LaneCounters counters, LongSupplier clock) {
        this.spec = spec;
        this.levels = levels;
        this.slices = slices;
        this.cost = cost;
        this.counters = counters;
        this.clock = clock;
        this.admission = new Admission(cost, spec.instances());
        this.breaker = new Breaker(spec.breakerFailures());
    }

    /// What an instance runs.
    Slice slice(int instance) {
        return slices[instance];
    }

    Breaker breaker() {
        return breaker;
    }

    /// Whether a request is let in; OK, or why not.
    ///
    /// @param full whether no instance is free
    @Hot
    Outcome admit(Call call, int rows, boolean full) {
        if (call.deadlineNanos() != Ticket.NO_DEADLINE && !isMeetable(call, rows, full)) {
            counters.unmeetable();
            return Outcome.OVERLOADED;
        }
        return breaker.isOpen() && !breaker.admits(clock.getAsLong()) ? Outcome.UNAVAILABLE : Outcome.OK;
    }

    @Hot
    private boolean isMeetable(Call call, int rows, boolean full) {
        long now = call.submittedNanos();
        double predicted = predict(call.level(), rows, full, now);
        call.predicted(predicted);
        boolean idle = !full && levels.queued(call.level()) == 0;
        return admission.admits(predicted, idle, call.deadlineNanos() - now, now);
    }

    /// How long the last of `rows` more rows would take to be answered.
    @Hot
    private double predict(int priority, int rows, boolean full, long now) {
        long waiting = (long) rows + levels.queued(priority);
        return admission.predict(waiting, levels.get(priority).maxBatch(), full ? untilFree(now) : 0);
    }

    /// How long it takes until an instance is free.
    @Hot
    private double untilFree(long now) {
        double first = Double.POSITIVE_INFINITY;
        for (Slice slice : slices) {
            first = Math.min(first, Math.max(0, slice.startNanos() - now + cost.estimate(slice.count())));
        }
        return first;
    }

    /// When a refused request should be tried again, in nanoseconds from now; 0 if nothing is known.
    long retryAfterNanos(int priority, boolean full) {
        long now = clock.getAsLong();
        double predicted = predict(priority, 1, full, now);
        return Math.max(breaker.untilProbe(now), predicted < UNKNOWN ? (long) predicted : 0);
    }

    /// An admitted request with a deadline was answered, or is overdue.
    ///
    /// @param predicted how long after its submission the answer was expected
    @Hot
    void ended(long submitted, long predicted) {
        if (predicted != UNKNOWN) {
            long now = clock.getAsLong();
            admission.observe(now - submitted - predicted, now);
        }
    }

    /// Why a request was refused as overloaded.
    String overload(int level, long deadline, long submitted, long predicted) {
        if (deadline == Ticket.NO_DEADLINE || predicted == UNKNOWN) {
            return "the queue of " + spec.describe() + " is full (" + spec.capacity(level) + " rows)";
        }
        return String.format(
                Locale.ROOT,
                "an answer of %s is expected in %.3f ms, its deadline is in %.3f ms",
                spec.describe(),
                predicted / 1e6,
                (deadline - submitted) / 1e6);
    }

    /// Whether every request is refused now because the model keeps failing.
    boolean isShut() {
        return !breaker.wouldAdmit(clock.getAsLong());
    }

    /// Why the model is asked no more for a while; empty if it is.
    String brokenness() {
        String reason = breaker.reason();
        return reason.isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT,
                        "%s keeps failing, %d runs in a row, and is tried again in %.3f s: %s",
                        spec.describe(),
                        breaker.failures(),
                        breaker.untilProbe(clock.getAsLong()) / 1e9,
                        reason);
    }
}
