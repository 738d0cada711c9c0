// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/// What came of the requests. Those that were due during the warm-up are not counted.
///
/// Latency runs from the time a request was due. The histogram holds those that were answered with success, and those
/// that were given up, with the time until then: they would have taken at least as long. Refusals and lost connections
/// have no latency, only a count.
///
/// Threads: the generator's writes, any one other thread may read meanwhile.
final class Tally {
    private static final int DIGITS = 3;
    private static final long MAX_NANOS = 3_600_000_000_000L;
    private static final int STATUSES = 1000;

    private final long warmupNanos;
    private final long durationNanos;
    private final long boundNanos;
    private final SingleWriterRecorder latencies = new SingleWriterRecorder(1, MAX_NANOS, DIGITS);
    private final SingleWriterRecorder lateness = new SingleWriterRecorder(1, MAX_NANOS, DIGITS);
    private final AtomicLongArray statuses = new AtomicLongArray(STATUSES);
    private final Map<String, Long> errors = new ConcurrentHashMap<>();
    private final AtomicLong arrivals = new AtomicLong();
    private final AtomicLong timeouts = new AtomicLong();
    private final AtomicLong waits = new AtomicLong();
    private final AtomicLong answersAtAll = new AtomicLong();
    private final AtomicLong answersInTime = new AtomicLong();
    private final AtomicLong overBound = new AtomicLong();
    private final AtomicInteger mostWaiting = new AtomicInteger();
    private volatile String firstRefusal;
    private volatile long start;

    /// @param boundNanos latencies above it are counted; 0 for no bound
    Tally(LoadPlan plan, long boundNanos) {
        this.warmupNanos = plan.warmupNanos();
        this.durationNanos = plan.durationNanos();
        this.boundNanos = boundNanos == 0 ? Long.MAX_VALUE : boundNanos;
    }

    void started(long time) {
        start = time;
    }

    private boolean counts(long due) {
        return due - start >= warmupNanos;
    }

    private static void increment(AtomicLong counter) {
        counter.setRelease(counter.getPlain() + 1); // one writer
    }

    /// A request became due.
    void arrived(long due) {
        if (counts(due)) {
            increment(arrivals);
        }
    }

    /// It was noticed, and sent if a line was free, so much later than it was due.
    void late(long due, long nanos) {
        if (counts(due)) {
            lateness.recordValue(bounded(nanos));
        }
    }

    /// It has to wait for a free line, as the last of `waiting`.
    void waits(long due, int waiting) {
        if (counts(due)) {
            increment(waits);
            if (waiting > mostWaiting.getPlain()) {
                mostWaiting.setRelease(waiting);
            }
        }
    }

    void answered(long due, long now, int status) {
        boolean success = status >= 200 && status < 300;
        increment(answersAtAll);
        long sinceStart = now - start;
        if (success && sinceStart >= warmupNanos && sinceStart < warmupNanos + durationNanos) {
            increment(answersInTime);
        }
        if (counts(due)) {
            statuses.setRelease(status, statuses.getPlain(status) + 1);
            if (success) {
                record(now - due);
            }
        }
    }

    void timedOut(long due, long now) {
        if (counts(due)) {
            increment(timeouts);
            record(now - due);
        }
    }

    private void record(long nanos) {
        latencies.recordValue(bounded(nanos));
        if (nanos > boundNanos) {
            increment(overBound);
        }
    }

    private static long bounded(long nanos) {
        return Math.clamp(nanos, 0, MAX_NANOS);
    }

    void failed(long due, String reason) {
        if (counts(due)) {
            errors.merge(reason, 1L, Long::sum);
        }
    }

    /// A body that came with a status of 400 or more; the first is kept.
    void refusal(int status, String body) {
        if (firstRefusal == null) {
            firstRefusal = status + " " + body;
        }
    }

    /// Successful latencies since the last call. Threads: one reader.
    Histogram interval() {
        return latencies.getIntervalHistogram();
    }

    Histogram lateness() {
        return lateness.getIntervalHistogram();
    }

    /// Answers by status.
    Map<Integer, Long> statuses() {
        Map<Integer, Long> counts = new TreeMap<>();
        for (int status = 0; status < STATUSES; status++) {
            if (statuses.getAcquire(status) != 0) {
                counts.put(status, statuses.getAcquire(status));
            }
        }
        return counts;
    }

    Map<String, Long> errors() {
        return new TreeMap<>(errors);
    }

    long arrivals() {
        return arrivals.getAcquire();
    }

    long timeouts() {
        return timeouts.getAcquire();
    }

    /// Requests that found no free line.
    long waits() {
        return waits.getAcquire();
    }

    int mostWaiting() {
        return mostWaiting.getAcquire();
    }

    /// Answers of any kind, warm-up included.
    long answersAtAll() {
        return answersAtAll.getAcquire();
    }

    /// Successes that came during the counted time, whenever they were due.
    long answersInTime() {
        return answersInTime.getAcquire();
    }

    /// Latencies above the bound.
    long overBound() {
        return overBound.getAcquire();
    }

    /// Status and start of the first body that came with a status of 400 or more; null if there was none.
    String firstRefusal() {
        return firstRefusal;
    }
}
