// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.TensorSet;
import dev.millrace.features.RawRows;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import dev.millrace.plan.InputCheck;
import dev.millrace.plan.LaneSpec;

/// What a call's owner fills, and whether its lane takes that: the model's tensors, or raw values that they are made
/// of when the call is submitted.
///
/// Threads: the call's owner. Ownership: it owns the raw values.
final class CallInputs implements AutoCloseable {
    private final LaneSpec spec;
    private final InputCheck check;
    /// Null if the model takes its tensors as they come.
    private final RawRows raw;
    /// Why raw values were not taken; or null.
    private String refusal;

    CallInputs(LaneSpec spec, RawRows raw) {
        this.spec = spec;
        this.check = new InputCheck(spec);
        this.raw = raw;
    }

    @Hot
    RawRows raw() {
        return raw;
    }

    /// The tensors that the owner fills.
    @Hot
    Tensor[] tensors(TensorSet set) {
        return raw == null ? set.inputs() : raw.inputs();
    }

    /// Makes room for so many rows; raw values are null then.
    void rows(TensorSet set, int rows) {
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
    Tensor report(int index) {
        return raw.report(index);
    }

    /// As [InputCheck#slots], of what the owner filled; the model's tensors are ready then.
    @Hot
    int slots(TensorSet set, int level) {
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
            refusal = spec.wrongRows(rows, level);
            return InputCheck.TOO_MANY;
        }
        Tensor target = set.inputs()[0];
        shape(target, rows, raw.served().plan().width());
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
            target.reshape(rows, width);
        }
    }

    /// What is wrong with inputs that [#slots] refused.
    String problem(TensorSet set, int level) {
        return refusal == null ? check.problem(set, level) : refusal;
    }

    @Hot
    long heldBytes() {
        return raw == null ? 0 : raw.heldBytes();
    }

    /// The same for a lane whose version takes the same.
    CallInputs movedTo(LoadedVersion next) {
        return new CallInputs(next.lane().spec(), raw == null ? null : raw.movedTo(next.openRaw()));
    }

    @Override
    public void close() {
        if (raw != null) {
            raw.close();
        }
    }
}
