// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import dev.millrace.memory.Hot;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Chooses which requests are timed: all of them while there are few, one of two, four, ... up to 1024 when
/// there are many, so that about [#PER_SECOND] are timed at most. A timed request counts for all that it was
/// chosen from.
///
/// The choice does not depend on what happens to the request: its owner draws before it is submitted. So
/// nothing is favoured, neither the first row of a batch nor the last, and weighted counts are right on
/// average. A short window's rate sets the share of the next; the first request after a burst may therefore be
/// left out.
///
/// Threads: any. Only one of those that find a window over closes it.
final class Sampler {
    /// What the timing of so many costs is a fraction of a percent of a core.
    static final int PER_SECOND = 20_000;
    static final long WINDOW_NANOS = 10_000_000;
    static final int MAX_SHIFT = 10;

    private static final VarHandle SHIFT;
    private static final VarHandle WINDOW_END;
    private static final VarHandle COUNTED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            SHIFT = lookup.findVarHandle(Sampler.class, "shift", int.class);
            WINDOW_END = lookup.findVarHandle(Sampler.class, "windowEnd", long.class);
            COUNTED = lookup.findVarHandle(Sampler.class, "counted", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // through SHIFT
    private int shift;

    private long windowEnd;

    @SuppressWarnings("unused") // through COUNTED
    private long counted;

    Sampler(long now) {
        this.windowEnd = now + WINDOW_NANOS;
    }

    /// For how many requests a timed one counts, or 0 if this one is not timed.
    ///
    /// @param draw any value, each as likely as the others
    @Hot
    int weight(long draw) {
        int share = (int) SHIFT.getOpaque(this);
        return (draw & Long.MAX_VALUE) <= Long.MAX_VALUE >>> share ? 1 << share : 0;
    }

    /// Whether the window is over.
    @Hot
    boolean isDue(long now) {
        return now - (long) WINDOW_END.getOpaque(this) >= 0;
    }

    /// Closes a window that is over, and sets the share by what came in it.
    ///
    /// @param requests all that there ever were
    @Hot
    void roll(long now, long requests) {
        long end = (long) WINDOW_END.getOpaque(this);
        if (now - end < 0 || !WINDOW_END.compareAndSet(this, end, now + WINDOW_NANOS)) {
            return;
        }
        long came = requests - (long) COUNTED.getAndSet(this, requests);
        double allowed = PER_SECOND * (now - end + WINDOW_NANOS) / 1e9;
        int share = 0;
        while (share < MAX_SHIFT && came >> share > allowed) {
            share++;
        }
        SHIFT.setOpaque(this, share);
    }
}
