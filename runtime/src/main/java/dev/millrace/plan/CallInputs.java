// SPDX-License-Identifier: Apache-2.0
package dev.millrace.plan;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.raw.RawRows;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/// What a call's owner fills, and whether its lane takes that: the model's tensors, or raw values that they are made
/// of when the call is submitted.
///
/// Threads: the call's owner. Ownership: it owns the raw values.
public final class CallInputs implements AutoCloseable {
    private final LaneSpec spec;
    private final InputCheck check;
    /// Null if the model takes its tensors as they come.
    private final RawRows raw;
    /// Why raw values were not taken; or null.
    private String refusal;
    /// Whether stored values were asked for, for the next request, and when.
    private boolean begun;

    private long begunNanos;
    private String storeProblem;

    /// @param raw what the model's tensors are made of; null if it takes them as they come
    public CallInputs(LaneSpec spec, RawRows raw) {
        this.spec = spec;
        this.check = new InputCheck(spec);
        this.raw = raw;
    }

    /// The raw values; null if the model takes its tensors as they come.
    @Hot
    public RawRows raw() {
        return raw;
    }

    /// The tensors that the owner fills.
    @Hot
    public Tensor[] tensors(TensorSet set) {
        return raw == null ? set.inputs() : raw.inputs();
    }

    /// Whether raw values need stored ones that are far away.
    @Hot
    public boolean isRemote() {
        return raw != null && raw.isRemote();
    }

    /// Begins to fetch stored values; nothing is fetched for what would be refused anyway.
    ///
    /// @param now what the request's time limit counts from
    /// @return ends in time and normally, on any thread
    public CompletableFuture<?> fetch(int level, long timeoutNanos, long now) {
        begun = true;
        begunNanos = now;
        return mayFetch(level) ? raw.fetch(timeoutNanos) : CompletableFuture.completedFuture(null);
    }

    private boolean mayFetch(int level) {
        long rows = raw.rowCount();
        return rows > 0 && (!spec.hasRows() || rows <= spec.capacity(level));
    }

    /// Takes what was fetched; waits for it, and fetches it if nobody has.
    ///
    /// @return whether it is here in time; if not, [#storeProblem()] is why, or null if it is too late
    public boolean takeFetched(int level, long timeoutNanos, LongSupplier clock) {
        storeProblem = null;
        if (timeoutNanos <= 0) {
            return false;
        }
        if (!begun) {
            var _ = fetch(level, timeoutNanos, clock.getAsLong());
        }
        String problem = mayFetch(level) ? raw.takeFetched(timeoutNanos) : null;
        boolean late = clock.getAsLong() - begunNanos >= timeoutNanos;
        storeProblem = late ? null : problem;
        return !late && problem == null;
    }

    /// Why the last request was refused, if a store of features could not be asked; or null.
    public String storeProblem() {
        return storeProblem;
    }

    /// When the request began: when its stored values were asked for, or now.
    @Hot
    public long begunNanos(long now) {
        return begun ? begunNanos : now;
    }

    /// The request was taken, or refused: what was fetched for it is of no use any more.
    @Hot
    public void ended() {
        if (begun) {
            forget();
        }
    }

    private void forget() {
        begun = false;
        raw.forgetFetched();
    }

    /// Makes room for so many rows; raw values are null then.
    public void rows(TensorSet set, int rows) {
        if (raw != null) {
            raw.rows(rows);
            return;
        }
        for (Tensor input : set.inputs()) {
            input.rows(rows);
        }
    }

    /// A report of raw values.
    @Hot
    public Tensor report(int index) {
        return raw.report(index);
    }

    /// As [InputCheck#slots], of what the owner filled; the model's tensors are ready then.
    @Hot
    public int slots(TensorSet set, int level) {
        return raw == null ? check.slots(set, level) : rawSlots(set, level);
    }

    @Hot
    private int rawSlots(TensorSet set, int level) {
        refusal = null;
        long rows = raw.rowCount();
        if (rows < 1) {
            refusal = raw.problem();
            return InputCheck.WRONG;
        }
        if (spec.hasRows() && rows > spec.capacity(level)) {
            return tooMany(rows, level);
        }
        Tensor target = set.inputs()[0];
        shape(target, rows, raw.width());
        int slots = check.slots(set, level);
        if (slots > 0 && !raw.write(rows, target)) {
            refusal = raw.problem();
            return InputCheck.WRONG;
        }
        return slots;
    }

    @Hot
    private static void shape(Tensor target, long rows, int width) {
        if (target.rank() == 2 && target.dim(1) == width) {
            target.rows(rows);
        } else {
            reshape(target, rows, width);
        }
    }

    private static void reshape(Tensor target, long rows, int width) {
        target.reshape(rows, width);
    }

    private int tooMany(long rows, int level) {
        refusal = spec.wrongRows(rows, level);
        return InputCheck.TOO_MANY;
    }

    /// What is wrong with inputs that [#slots] refused.
    public String problem(TensorSet set, int level) {
        return refusal == null ? check.problem(set, level) : refusal;
    }

    /// The bytes that raw values hold.
    public long heldBytes() {
        return raw == null ? 0 : raw.heldBytes();
    }

    /// The same for a lane whose version takes the same; these are closed.
    ///
    /// @param opened room for its raw values, if it takes such
    public CallInputs movedTo(LaneSpec next, RawRows opened) {
        CallInputs moved = new CallInputs(next, raw == null ? null : raw.movedTo(opened));
        moved.begun = begun;
        moved.begunNanos = begunNanos;
        return moved;
    }

    @Override
    public void close() {
        if (raw != null) {
            raw.close();
        }
    }
}
