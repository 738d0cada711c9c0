// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import dev.millrace.memory.Hot;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.HdrHistogram.AtomicHistogram;

/// Where one model version's latencies and batch sizes are recorded. Its counts only grow; who wants a window
/// subtracts.
///
/// A value costs an atomic increment or three and allocates nothing. The memory is fixed: about 26 KiB per
/// stage.
///
/// Threads: any, writing and reading.
public final class LaneRecorder {
    private static final Stage[] STAGES = Stage.values();
    /// What takes longer is recorded as this long.
    static final long MAX_NANOS = 60_000_000_000L;
    /// Finer than the clock.
    private static final long RESOLUTION_NANOS = 16;

    private static final int DIGITS = 2;

    private final String model;
    private final long version;
    private final boolean on;
    private final long began;
    private final Sampler sampler;
    private final AtomicHistogram[] stages;
    private final AtomicLongArray sums = new AtomicLongArray(STAGES.length);
    private final BatchCounts batches;
    private final int maxBatch;
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong failedNanos = new AtomicLong();

    private LaneRecorder(String model, long version, int maxBatch, long now, boolean on) {
        this.model = model;
        this.version = version;
        this.on = on;
        this.began = now;
        this.sampler = new Sampler(now);
        this.batches = new BatchCounts(maxBatch);
        this.maxBatch = maxBatch;
        this.stages = new AtomicHistogram[on ? STAGES.length : 0];
        for (int i = 0; i < stages.length; i++) {
            stages[i] = new AtomicHistogram(RESOLUTION_NANOS, MAX_NANOS, DIGITS);
        }
    }

    /// A recorder for a model version.
    ///
    /// @param maxBatch the most rows in a batch
    /// @param now what the clock says
    public static LaneRecorder of(String model, long version, int maxBatch, long now) {
        return new LaneRecorder(model, version, maxBatch, now, true);
    }

    /// A recorder that counts batches, and records nothing else.
    ///
    /// @param maxBatch the most rows in a batch
    public static LaneRecorder off(String model, long version, int maxBatch) {
        return new LaneRecorder(model, version, maxBatch, 0, false);
    }

    /// For how many requests the next one counts if it is timed, or 0 if it need not be.
    ///
    /// @param draw any value, each as likely as the others
    @Hot
    public int weight(long draw) {
        return on ? sampler.weight(draw) : 0;
    }

    /// Whether the share of requests that are timed should be looked at again, by [#adapt(long, long)].
    @Hot
    public boolean isDue(long now) {
        return on && sampler.isDue(now);
    }

    /// Sets the share of requests that are timed by how many came lately.
    ///
    /// @param requests all that there ever were
    @Hot
    public void adapt(long now, long requests) {
        sampler.roll(now, requests);
    }

    /// Records how long a stage took for a request that counts for `weight`.
    @Hot
    public void record(Stage stage, long nanos, int weight) {
        if (on && weight > 0) {
            long value = Math.clamp(nanos, 0, MAX_NANOS);
            sums.getAndAdd(stage.ordinal(), value * weight);
            stages[stage.ordinal()].recordValueWithCount(value, weight);
        }
    }

    /// Records how long a request took that was not answered and counts for `weight`.
    @Hot
    public void recordFailure(long nanos, int weight) {
        if (on && weight > 0) {
            failedNanos.getAndAdd(Math.clamp(nanos, 0, MAX_NANOS) * weight);
            failed.getAndAdd(weight);
        }
    }

    /// Records a batch that was run.
    ///
    /// @param nanos how long the run took
    @Hot
    public void batch(int batchRows, long nanos) {
        batches.add(batchRows, nanos);
    }

    /// The batches that were run, every one of them, whether the rest is recorded or not.
    public List<BatchCounts.Size> batches() {
        return batches.sizes();
    }

    /// What counts them.
    public BatchCounts batchCounts() {
        return batches;
    }

    /// Tells Flight Recorder of a request that was not accepted.
    ///
    /// @param reason a constant, in its own words
    @Hot
    public void refused(Enum<?> reason) {
        if (RefusalEvent.isWanted()) {
            recordRefusal(reason);
        }
    }

    private void recordRefusal(Enum<?> reason) {
        RefusalEvent.record(model, version, reason.name());
    }

    /// Begins an event of Flight Recorder for a batch; null if no recording wants it.
    @Hot
    public BatchEvent beginBatch() {
        return BatchEvent.isWanted() ? BatchEvent.begun() : null;
    }

    /// Ends a batch's event.
    ///
    /// @param instance which of the lane's instances ran it
    /// @param batchRows rows run
    /// @param deadRows those that nobody waited for
    /// @param queued rows that wait
    /// @param failed whether the run failed
    public void endBatch(BatchEvent event, int instance, int batchRows, int deadRows, int queued, boolean failed) {
        event.end();
        if (event.shouldCommit()) {
            event.model = model;
            event.version = version;
            event.instance = instance;
            event.rows = batchRows;
            event.deadRows = deadRows;
            event.queuedRows = queued;
            event.failed = failed;
            event.commit();
        }
    }

    /// Begins an event of Flight Recorder for a request; null if no recording wants it.
    @Hot
    public RequestEvent beginRequest() {
        return RequestEvent.isWanted() ? RequestEvent.begun() : null;
    }

    /// Ends a request's event, which knows the stages.
    public void endRequest(RequestEvent event, int batchRows) {
        if (event.shouldCommit()) {
            event.model = model;
            event.version = version;
            event.batchRows = batchRows;
            event.commit();
        }
    }

    /// The sums of what was recorded so far. A request's [Stage#TOTAL] is recorded last and read first here: what is
    /// counted is in the sums.
    public Sums sums() {
        if (!on) {
            return Sums.NONE;
        }
        long answeredNow = stages[Stage.TOTAL.ordinal()].getTotalCount();
        long failedNow = failed.get();
        Map<Stage, Long> all = new EnumMap<>(Stage.class);
        for (Stage stage : STAGES) {
            all.put(stage, sums.get(stage.ordinal()));
        }
        return new Sums(answeredNow, all, failedNow, failedNanos.get());
    }

    /// All that was recorded so far. What is recorded meanwhile may be in it or not.
    public Recording snapshot() {
        Map<Stage, Distribution> all = new EnumMap<>(Stage.class);
        for (int i = 0; i < stages.length; i++) {
            all.put(STAGES[i], Distribution.of(stages[i], sums.get(i)));
        }
        return new Recording(model, version, began, all, Distribution.of(on ? batches.sizes() : List.of(), maxBatch));
    }
}
