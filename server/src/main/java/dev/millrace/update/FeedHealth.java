// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/// Whether a feed works, and what its log says of that: a line when it begins to fail, one a minute
/// while it does, and one when it is well again. Dead letters have a line at most every ten seconds.
///
/// Threads: one writes; any may ask.
final class FeedHealth {
    private static final long NANOS_PER_SECOND = 1_000_000_000;
    static final long FAILING_PERIOD = 60 * NANOS_PER_SECOND;
    static final long LETTERS_PERIOD = 10 * NANOS_PER_SECOND;

    private final Logger log;
    private final String feed;
    private final LongSupplier clock;
    private volatile boolean up;
    private final AtomicLong failures = new AtomicLong();
    private boolean failing;
    private long since;
    private long lastLine;
    private long lettersLine;
    private boolean toldLetters;
    private long untold;

    /// @param clock in nanoseconds
    FeedHealth(Logger log, String feed, LongSupplier clock) {
        this.log = log;
        this.feed = feed;
        this.clock = clock;
    }

    /// All went well: records were asked for, and what came is durable.
    void well() {
        up = true;
        if (failing) {
            failing = false;
            log.warn("{} works again, after {} s", feed, (clock.getAsLong() - since) / NANOS_PER_SECOND);
        }
    }

    /// Something failed, and is tried again.
    void failed(String problem) {
        up = false;
        failures.incrementAndGet();
        long now = clock.getAsLong();
        if (!failing) {
            failing = true;
            since = now;
            lastLine = now;
            log.warn("{} fails and is tried again: {}", feed, problem);
        } else if (now - lastLine >= FAILING_PERIOD) {
            lastLine = now;
            log.warn("{} has failed for {} s: {}", feed, (now - since) / NANOS_PER_SECOND, problem);
        }
    }

    /// Dead letters are durable.
    void dead(int count, String last, String kept) {
        long now = clock.getAsLong();
        untold += count;
        if (!toldLetters || now - lettersLine >= LETTERS_PERIOD) {
            toldLetters = true;
            lettersLine = now;
            log.warn("{}: {} more dead letters are in {}; the last: {}", feed, untold, kept, last);
            untold = 0;
        }
    }

    boolean isUp() {
        return up;
    }

    long failures() {
        return failures.get();
    }
}
