// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import java.util.concurrent.TimeUnit;

/// How long somebody has been waited for. It has no timer: it is asked now and then, and counts from when it was first
/// asked about what it waits for. So it is late by as much as lies between two questions, never early.
///
/// A body and an answer get one second more for so many bytes of them that moved, so that large ones may take their
/// time, but none may trickle. Threads: one.
public final class Patience {
    private static final long NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Limits limits;
    private Limit awaited;
    private long number;
    private long sinceNanos;
    private long movedBefore;

    /// Nothing is waited for yet.
    public Patience(Limits limits) {
        this.limits = limits;
    }

    /// Whether it is at an end.
    ///
    /// @param limit what is waited for; null for nothing
    /// @param which another number means another thing of the same kind
    /// @param moved bytes that have moved, ever
    public boolean isOver(Limit limit, long which, long moved, long nowNanos) {
        if (limit != awaited || which != number) {
            awaited = limit;
            number = which;
            sinceNanos = nowNanos;
            movedBefore = moved;
            return false;
        }
        if (limit == null || limits.get(limit) == 0) {
            return false;
        }
        return nowNanos - sinceNanos > TimeUnit.MILLISECONDS.toNanos(limits.get(limit)) + bonus(moved - movedBefore);
    }

    private long bonus(long bytes) {
        boolean rated = awaited == Limit.BODY_TIMEOUT || awaited == Limit.WRITE_TIMEOUT;
        return rated ? (long) ((double) bytes * NANOS_PER_SECOND / limits.get(Limit.MIN_RATE)) : 0;
    }

    /// What is waited for; null for nothing.
    public Limit awaited() {
        return awaited;
    }
}
