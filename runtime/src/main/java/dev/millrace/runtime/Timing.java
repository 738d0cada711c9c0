// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import dev.millrace.monitor.LaneRecorder;
import dev.millrace.monitor.RequestEvent;
import dev.millrace.monitor.Stage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/// Where the time of a call's last request went, if it was timed. Times are the lane's clock's, in nanoseconds.
///
/// A request whose rows ran in several slices waited until the last of them began.
///
/// Threads: as the call. Between its submission and its end whoever answers it writes.
public final class Timing {
    private static final Stage[] STAGES = Stage.values();
    /// 2^64 by the golden ratio: added again and again it spreads draws evenly over any stretch of them.
    private static final long EVEN_STEP = 0x9E3779B97F4A7C15L;

    private LaneRecorder recorder;
    private final LongSupplier clock;
    private long draw = ThreadLocalRandom.current().nextLong();
    private int weight;
    /// Whether the owner told when it began, and tells when it ends.
    private boolean owned;

    private boolean complete;
    private int batchRows;
    private long begun;
    private long decoded;
    private long opened;
    private long loaded;
    private long started;
    private long ran;
    private long delivered;
    private long finished;
    private RequestEvent event;

    Timing(LaneRecorder recorder, LongSupplier clock) {
        this.recorder = recorder;
        this.clock = clock;
    }

    /// Where the request and those after it are recorded: they go to another lane. By the owner.
    void record(LaneRecorder elsewhere) {
        recorder = elsewhere;
    }

    /// Whether the last request was timed and answered.
    @Hot
    public boolean isComplete() {
        return complete;
    }

    /// How long a stage took in nanoseconds; meaningful if the request was timed and answered.
    @Hot
    public long nanos(Stage stage) {
        return switch (stage) {
            case DECODE -> decoded - begun;
            case ASSEMBLE -> loaded - opened;
            case QUEUE -> opened - decoded + started - loaded;
            case RUN -> ran - started;
            case DELIVER -> delivered - ran;
            case ENCODE -> finished - delivered;
            case TOTAL -> finished - begun;
        };
    }

    /// Rows of the batch that the request's last row was in.
    @Hot
    public int batchRows() {
        return batchRows;
    }

    /// A request begins; whether it is timed, which is `wanted` or left to chance.
    ///
    /// @param byOwner whether its owner decodes and encodes it
    @Hot
    boolean begin(boolean wanted, boolean byOwner) {
        draw += EVEN_STEP;
        weight = recorder.weight(draw);
        if (weight == 0 && !wanted) {
            return false;
        }
        start(byOwner);
        return true;
    }

    @Hot
    private void start(boolean byOwner) {
        owned = byOwner;
        complete = false;
        event = recorder.beginRequest();
        begun = clock.getAsLong();
        decoded = begun;
        opened = begun;
    }

    @Hot
    void decoded() {
        decoded = clock.getAsLong();
    }

    @Hot
    void opened() {
        if (owned) {
            opened = clock.getAsLong();
        }
    }

    @Hot
    void loaded() {
        loaded = clock.getAsLong();
    }

    /// Rows of it were run by this slice, which has ended.
    @Hot
    void ranIn(Slice slice) {
        started = slice.startNanos();
        ran = slice.endNanos();
        batchRows = slice.count();
    }

    /// It has an answer that was kept: it neither waited nor ran.
    void recalled() {
        loaded = clock.getAsLong();
        started = loaded;
        ran = loaded;
        batchRows = 0;
    }

    /// It has ended: it was answered, or it was not.
    @Hot
    void ended(Outcome outcome) {
        if (outcome != Outcome.OK) {
            refused(true);
        } else if (!owned) {
            delivered = clock.getAsLong();
            finished = delivered;
            finish();
        }
    }

    /// It was not answered, or not even accepted.
    ///
    /// @param timed whether it was begun
    @Hot
    void refused(boolean timed) {
        if (timed) {
            recorder.recordFailure(clock.getAsLong() - begun, weight);
        }
    }

    @Hot
    void encoding() {
        if (owned && !complete) {
            delivered = clock.getAsLong();
        }
    }

    @Hot
    void encoded() {
        if (owned && !complete) {
            finished = clock.getAsLong();
            finish();
        }
    }

    @Hot
    private void finish() {
        complete = true;
        for (Stage stage : STAGES) {
            if (owned || (stage != Stage.DECODE && stage != Stage.ENCODE)) {
                recorder.record(stage, nanos(stage), weight);
            }
        }
        if (event != null) {
            report();
        }
    }

    private void report() {
        for (Stage stage : STAGES) {
            event.took(stage, nanos(stage));
        }
        recorder.endRequest(event, batchRows);
        event = null;
    }
}
