// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.policy.Breaker;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// The counters of one lane. Threads: any.
final class LaneCounters {
    private final LongAdder accepted = new LongAdder();
    private final LongAdder rows = new LongAdder();
    private final LongAdder batches = new LongAdder();
    private final LongAdder deadRows = new LongAdder();
    private final LongAdder skippedRows = new LongAdder();
    private final LongAdder runNanos = new LongAdder();
    private final LongAdder unmeetable = new LongAdder();
    private final LongAdder splits = new LongAdder();
    private final LongAdder terminated = new LongAdder();
    private final LongAdder[] ended = adders();
    private final LongAdder[] refused = adders();

    private static LongAdder[] adders() {
        LongAdder[] adders = new LongAdder[Outcome.values().length];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }

    @Hot
    void accepted() {
        accepted.increment();
    }

    @Hot
    long acceptedSum() {
        return accepted.sum();
    }

    @Hot
    void died(int rowsRun) {
        deadRows.add(rowsRun);
    }

    @Hot
    void skipped(long rowsQueued) {
        skippedRows.add(rowsQueued);
    }

    /// A request was refused because its deadline could not be met.
    @Hot
    void unmeetable() {
        unmeetable.increment();
    }

    /// A batch whose run has failed was split.
    void split() {
        splits.increment();
    }

    /// A run that nobody waited for was terminated.
    void terminated() {
        terminated.increment();
    }

    @Hot
    void ended(Outcome outcome) {
        ended[outcome.ordinal()].increment();
    }

    /// Requests that ended OK together.
    @Hot
    void answered(int requests) {
        ended[Outcome.OK.ordinal()].add(requests);
    }

    @Hot
    void refused(Outcome outcome) {
        refused[outcome.ordinal()].increment();
    }

    @Hot
    void ran(int batchRows, long nanos) {
        rows.add(batchRows);
        batches.increment();
        runNanos.add(nanos);
    }

    /// Ends are read before acceptances, so that `inFlight` is never negative.
    LaneStatistics snapshot(String model, long version, int queued, Breaker breaker) {
        Map<Outcome, Long> endedNow = sums(ended);
        long total = endedNow.values().stream().mapToLong(Long::longValue).sum();
        long acceptedNow = accepted.sum();
        return new LaneStatistics(
                model,
                version,
                acceptedNow,
                endedNow,
                sums(refused),
                rows.sum(),
                batches.sum(),
                runNanos.sum(),
                deadRows.sum(),
                skippedRows.sum(),
                unmeetable.sum(),
                splits.sum(),
                terminated.sum(),
                breaker.opened(),
                breaker.isOpen(),
                queued,
                acceptedNow - total);
    }

    private static Map<Outcome, Long> sums(LongAdder[] adders) {
        Map<Outcome, Long> sums = new EnumMap<>(Outcome.class);
        for (Outcome outcome : Outcome.values()) {
            sums.put(outcome, adders[outcome.ordinal()].sum());
        }
        return sums;
    }
}
