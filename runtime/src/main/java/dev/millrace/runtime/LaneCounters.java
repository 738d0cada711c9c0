// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.monitor.BatchCounts;
import dev.millrace.monitor.LaneRecorder;
import dev.millrace.monitor.Sums;
import dev.millrace.policy.Breaker;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/// The counters of one lane. Threads: any.
final class LaneCounters {
    private static final VarHandle LAST_END;

    static {
        try {
            LAST_END = MethodHandles.lookup().findVarHandle(LaneCounters.class, "lastEnd", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LongAdder accepted = new LongAdder();
    private final LongAdder deadRows = new LongAdder();
    private final LongAdder skippedRows = new LongAdder();
    private final LongAdder unmeetable = new LongAdder();
    private final LongAdder splits = new LongAdder();
    private final LongAdder terminated = new LongAdder();
    private final LongAdder cacheHits = new LongAdder();
    private final LongAdder cacheHitNanos = new LongAdder();
    private final LongAdder cacheMisses = new LongAdder();
    private final LongAdder cacheMissNanos = new LongAdder();
    private final LongAdder[] ended = adders();
    private final LongAdder[] refused = adders();
    /// When the last run ended, by the lane's clock; through LAST_END.
    private long lastEnd;
    /// The same when it was read last, and when that was since 1970. Guarded by this.
    private long lastEndRead;

    private long lastEndMillis;
    /// How long it took until the first request could come.
    private volatile long loadNanos;

    private static LongAdder[] adders() {
        LongAdder[] adders = new LongAdder[Outcome.values().length];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }

    /// The model version is loaded.
    ///
    /// @param nanos how long that took
    void loaded(long nanos) {
        loadNanos = nanos;
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

    /// A request has the answer that was kept for its inputs.
    void cacheHit(long nanos) {
        cacheHits.increment();
        cacheHitNanos.add(nanos);
    }

    /// No answer was kept for a request's inputs.
    void cacheMissed(long nanos) {
        cacheMisses.increment();
        cacheMissNanos.add(nanos);
    }

    /// An answer was kept, for a request that had found none.
    void cached(long nanos) {
        cacheMissNanos.add(nanos);
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

    /// A run has ended well, now.
    @Hot
    void ran(long now) {
        LAST_END.setOpaque(this, now);
    }

    /// When the last run ended, in milliseconds since 1970; 0 if there was none. It is the same until the next run,
    /// whatever becomes of the machine's clock, and never goes back.
    ///
    /// @param runs how many there were
    /// @param now what the lane's clock says
    private synchronized long lastEndMillis(long runs, long now) {
        long end = (long) LAST_END.getOpaque(this);
        if (runs > 0 && (lastEndMillis == 0 || end != lastEndRead)) {
            lastEndRead = end;
            long ago = TimeUnit.NANOSECONDS.toMillis(Math.max(0, now - end));
            lastEndMillis = Math.max(lastEndMillis, System.currentTimeMillis() - ago);
        }
        return lastEndMillis;
    }

    /// Ends are read before acceptances, so that `inFlight` is never negative, and before runs, so that no more
    /// requests were answered than rows were run.
    ///
    /// @param now what the lane's clock says
    /// @param recorder has the batches, and how long requests took
    LaneStatistics snapshot(String model, long version, long now, LaneRecorder recorder, int queued, Breaker breaker) {
        Sums timed = recorder.sums();
        Map<Outcome, Long> endedNow = sums(ended);
        long total = endedNow.values().stream().mapToLong(Long::longValue).sum();
        long acceptedNow = accepted.sum();
        List<BatchCounts.Size> sizes = recorder.batches();
        long runs = sizes.stream().mapToLong(BatchCounts.Size::runs).sum();
        return new LaneStatistics(
                model,
                version,
                acceptedNow,
                endedNow,
                sums(refused),
                sizes.stream().mapToLong(size -> size.rows() * size.runs()).sum(),
                runs,
                sizes.stream().mapToLong(BatchCounts.Size::nanos).sum(),
                sizes,
                lastEndMillis(runs, now),
                timed,
                deadRows.sum(),
                skippedRows.sum(),
                unmeetable.sum(),
                splits.sum(),
                terminated.sum(),
                loadNanos,
                cacheHits.sum(),
                cacheHitNanos.sum(),
                cacheMisses.sum(),
                cacheMissNanos.sum(),
                breaker.opened(),
                breaker.isOpen(),
                queued,
                acceptedNow - total);
    }

    /// What counts for a model's totals, whenever it is asked for. It knows nothing of the lane.
    ///
    /// @param batches where the lane's runs are counted
    Supplier<LaneStatistics.Totals> totals(String model, BatchCounts batches) {
        return () -> {
            // In the same order as in a snapshot.
            Map<Outcome, Long> endedNow = sums(ended);
            List<BatchCounts.Size> sizes = batches.sizes();
            return new LaneStatistics.Totals(
                    model,
                    accepted.sum(),
                    endedNow,
                    sums(refused),
                    sizes.stream().mapToLong(size -> size.rows() * size.runs()).sum(),
                    sizes.stream().mapToLong(BatchCounts.Size::runs).sum());
        };
    }

    private static Map<Outcome, Long> sums(LongAdder[] adders) {
        Map<Outcome, Long> sums = new EnumMap<>(Outcome.class);
        for (Outcome outcome : Outcome.values()) {
            sums.put(outcome, adders[outcome.ordinal()].sum());
        }
        return sums;
    }
}
