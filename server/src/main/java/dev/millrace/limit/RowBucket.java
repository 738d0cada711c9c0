// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import dev.millrace.memory.Hot;
import java.util.concurrent.atomic.AtomicLong;

/// The token bucket of one client, filled with rows. Its whole state is one number: when it will be full again. So a
/// take is one compare-and-set, and in no time t are there more than burst + rate·t rows, whoever takes them.
///
/// Threads: any.
final class RowBucket {
    /// Instead of a time to wait: the bucket is out of use, and the client has another.
    static final long GONE = -1;

    private static final long NEVER = Long.MAX_VALUE;
    private static final double NANOS_PER_SECOND = 1e9;

    private final double nanosPerRow;
    private final long burstNanos;
    private final AtomicLong fullAt = new AtomicLong();

    /// @param rowsPerSecond how fast it fills
    /// @param burst the rows that it holds; it begins full
    RowBucket(long rowsPerSecond, long burst) {
        this.nanosPerRow = NANOS_PER_SECOND / rowsPerSecond;
        this.burstNanos = nanos(burst);
    }

    @Hot
    private long nanos(long rows) {
        return (long) Math.ceil(rows * nanosPerRow);
    }

    /// Takes rows, all or none.
    ///
    /// @param rows no more than the bucket holds
    /// @param now nanoseconds, from 0 on
    /// @return 0 if they were taken; otherwise how long it takes until they could be, or [#GONE]
    @Hot
    long take(long rows, long now) {
        long cost = nanos(rows);
        while (true) {
            long before = fullAt.get();
            if (before == NEVER) {
                return GONE;
            }
            long after = Math.max(before, now) + cost;
            if (after - now > burstNanos) {
                return after - now - burstNanos;
            }
            if (fullAt.compareAndSet(before, after)) {
                return 0;
            }
        }
    }

    /// How long it takes until there is a row; 0 if there is one. Nothing is taken.
    @Hot
    long untilRow(long now) {
        long at = fullAt.get();
        return at == NEVER ? 0 : Math.max(0, at + nanos(1) - now - burstNanos);
    }

    /// Takes it out of use if it is full: then it says no more about its client than none would.
    boolean retire(long now) {
        long at = fullAt.get();
        return at <= now && fullAt.compareAndSet(at, NEVER);
    }
}
