// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;

/// Logs that runs of a model fail without writing as much as they fail: the first failure with its stack, and while
/// others follow one line every [#PERIOD_NANOS] with their number and the last one's message. After [#QUIET_NANOS]
/// without a failure the next is a first one again.
///
/// Every failure has an id, which its requests are told: that of the line logged last, so that it is always found in
/// the log. Threads: any; one at a time is in it.
public final class FailureLog {
    static final long PERIOD_NANOS = 10_000_000_000L;
    static final long QUIET_NANOS = 60_000_000_000L;
    private static final double NANOS_PER_SECOND = 1e9;

    private final Logger log;
    private final String model;
    private String id;
    private long lastFailure;
    private long lastLine;
    private long untold;
    private String lastMessage;

    /// @param log where it is logged
    /// @param model the model version in words
    public FailureLog(Logger log, String model) {
        this.log = log;
        this.model = model;
    }

    /// A run has failed.
    ///
    /// @param now what the clock says, in nanoseconds
    /// @return the id of the line in the log that belongs to it
    public synchronized String failed(Throwable failure, long now) {
        boolean first = id == null || now - lastFailure >= QUIET_NANOS;
        lastFailure = now;
        if (first) {
            tellRest(now);
            begin(now);
            log.error("{} failed, error id {}", model, id, failure);
            return id;
        }
        untold++;
        lastMessage = failure.getMessage();
        if (now - lastLine >= PERIOD_NANOS) {
            String before = id;
            begin(now);
            log.error(
                    "{} failed {} more times since error id {}, the last time: {}; error id {} from now on",
                    model,
                    untold,
                    before,
                    lastMessage,
                    id);
            untold = 0;
        }
        return id;
    }

    /// Nothing will follow: tells what was not told yet.
    public synchronized void close(long now) {
        tellRest(now);
    }

    private void tellRest(long now) {
        if (untold > 0) {
            log.error(
                    "{} failed {} more times since error id {}, {} s ago, the last time: {}",
                    model,
                    untold,
                    id,
                    Math.round((now - lastLine) / NANOS_PER_SECOND),
                    lastMessage);
            untold = 0;
        }
    }

    private void begin(long now) {
        id = Long.toHexString(ThreadLocalRandom.current().nextLong());
        lastLine = now;
    }
}
