// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import dev.millrace.memory.Hot;

/// Whether a model that keeps failing is asked again. It opens after so many runs in a row that answered nobody, and
/// then lets one request through from time to time, a probe: one that is answered closes it, one that fails doubles the
/// time until the next.
///
/// Threads: any.
public final class Breaker {
    /// Runs that fail in a row before it opens, unless something else is asked for.
    public static final int DEFAULT_FAILURES = 5;

    static final long FIRST_PAUSE_NANOS = 1_000_000_000L;
    static final long LONGEST_PAUSE_NANOS = 30_000_000_000L;

    private final int threshold;
    private final long longestPauseNanos;
    private volatile int failures;
    private volatile boolean open;
    private long pauseNanos;
    private long probeAt;
    private String reason = "";
    private long opened;

    /// @param threshold runs that fail in a row before it opens; 0: it never does
    public Breaker(int threshold) {
        this(threshold, LONGEST_PAUSE_NANOS);
    }

    /// @param threshold as above
    /// @param longestPauseNanos between probes at most; a second at least
    public Breaker(int threshold, long longestPauseNanos) {
        this.threshold = threshold;
        this.longestPauseNanos = Math.max(FIRST_PAUSE_NANOS, longestPauseNanos);
    }

    /// Whether requests are refused but for probes.
    @Hot
    public boolean isOpen() {
        return open;
    }

    /// Whether a request may pass; one that may while the breaker is open is the probe of this pause.
    public synchronized boolean admits(long now) {
        if (!open) {
            return true;
        }
        if (now - probeAt < 0) {
            return false;
        }
        probeAt = now + pauseNanos;
        return true;
    }

    /// Whether a request would pass now.
    public synchronized boolean wouldAdmit(long now) {
        return !open || now - probeAt >= 0;
    }

    /// A run has answered somebody.
    @Hot
    public void succeeded() {
        if (failures != 0) {
            close();
        }
    }

    private synchronized void close() {
        failures = 0;
        open = false;
    }

    /// A run has failed and answered nobody. Returns whether this opened it.
    public synchronized boolean failed(long now, String why) {
        failures = failures + 1;
        if (threshold == 0 || failures < threshold) {
            return false;
        }
        boolean first = !open;
        pauseNanos = first ? FIRST_PAUSE_NANOS : Math.min(2 * pauseNanos, longestPauseNanos);
        probeAt = now + pauseNanos;
        reason = why;
        open = true;
        opened += first ? 1 : 0;
        return first;
    }

    /// What the last run failed with; empty while it is closed.
    public synchronized String reason() {
        return open ? reason : "";
    }

    /// The time until the next probe in nanoseconds; 0 if one may pass now.
    public synchronized long untilProbe(long now) {
        return open ? Math.max(0, probeAt - now) : 0;
    }

    /// Runs in a row that failed.
    public int failures() {
        return failures;
    }

    /// How often it opened.
    public synchronized long opened() {
        return opened;
    }
}
