// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.features.FeatureSource;
import dev.millrace.features.FeatureStatus;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.remote.RemoteSource;
import dev.millrace.spec.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// The raw values of a request, and the reports about what became of them: a tensor for each field
/// with a value for each row. A tensor with one element among others with more is the same for all
/// rows, and what follows from such alone is worked out once. One without a shape is null.
///
/// ```
/// RawRows rows = call.raw().rows(2);
/// rows.common(user, 7L);
/// rows.set(amount, 0, 12.5);
/// rows.set(amount, 1, 99.0);
/// ```
///
/// Threads: one at a time. Ownership: whoever opened it closes it; it owns the tensors. In steady
/// state it allocates nothing.
public final class RawRows implements AutoCloseable {
    /// The time of requests is that at which they are worked on.
    public static final long NOW = Long.MIN_VALUE;

    private static final int STATUS = 0;
    private static final int AGE = 1;
    private static final int DEGRADED = 2;
    private static final byte[][] STATUS_NAMES = Arrays.stream(FeatureStatus.values())
            .map(status -> status.name().getBytes(StandardCharsets.US_ASCII))
            .toArray(byte[][]::new);

    private final ServedPlan served;
    private final FeaturePlan plan;
    private final FeatureRow row;
    private final FeatureCounters counters;
    private final FeatureCounters.Part counts;
    private final Tensor[] inputs;
    private final Tensor[] reports;
    private final int features;
    /// Which fields are the same for all rows.
    private final boolean[] common;

    private final List<String> names;
    /// Null if all stored values are at hand.
    private final RawFetch fetch;
    private boolean reporting;
    private long requestTime = NOW;
    private String problem = "";

    RawRows(ServedPlan served, FeatureSource source, MemoryBudget memory, MemoryBudget heap, FeatureCounters counters) {
        this.counters = counters;
        this.served = served;
        plan = served.plan();
        RawFetch remote = source instanceof RemoteSource far ? new RawFetch(far, plan) : null;
        row = plan.newRow(remote == null ? source : remote);
        fetch = remote != null && remote.isNeeded() ? remote : null;
        counts = counters.begin();
        Signature signature = served.signature();
        inputs = tensors(signature.inputs(), memory, heap);
        Arrays.stream(inputs).forEach(Tensor::nullable);
        reports = tensors(signature.reports(), memory, heap);
        features = plan.spec().features().size();
        common = new boolean[inputs.length];
        names = plan.spec().features().stream().map(feature -> feature.name()).toList();
    }

    private static Tensor[] tensors(List<TensorSpec> specs, MemoryBudget memory, MemoryBudget heap) {
        return specs.stream()
                .map(spec ->
                        new Tensor(MemoryBudgets.of(spec.datatype(), memory, heap), MemoryTag.CALL, spec.datatype()))
                .toArray(Tensor[]::new);
    }

    /// What requests bring and answers have.
    @Hot
    public Signature signature() {
        return served.signature();
    }

    /// The plan that they are for.
    @Hot
    public ServedPlan served() {
        return served;
    }

    /// The tensors, in the order of the signature's inputs.
    @Hot
    public Tensor[] inputs() {
        return inputs;
    }

    /// A report, in the order of the signature's; valid until the next request, if it was asked for.
    @Hot
    public Tensor report(int index) {
        return reports[index];
    }

    /// Whether reports are made of the requests that follow.
    @Hot
    public RawRows reporting(boolean wanted) {
        reporting = wanted;
        return this;
    }

    /// Whether reports are made.
    @Hot
    public boolean isReporting() {
        return reporting;
    }

    /// How many columns a row has.
    @Hot
    public int width() {
        return plan.width();
    }

    /// Sets the time of the requests that follow, in microseconds since 1970; [#NOW] for that at
    /// which they are worked on.
    public RawRows requestTime(long micros) {
        requestTime = micros;
        return this;
    }

    /// The handle of a field, which is its place in the signature; look it up once.
    ///
    /// @throws IllegalArgumentException if there is none by that name
    public int field(String name) {
        return plan.field(name);
    }

    /// Begins with a request of so many rows: all values are null.
    @Hot
    public RawRows rows(int rows) {
        for (Tensor input : inputs) {
            shape(input, rows);
            for (int i = 0; i < rows; i++) {
                input.setNull(i, true);
            }
        }
        return this;
    }

    @Hot
    private static void shape(Tensor input, int rows) {
        if (input.rank() == 1) {
            input.rows(rows);
        } else {
            reshape(input, rows);
        }
    }

    private static void reshape(Tensor input, int rows) {
        input.reshape(rows);
    }

    /// Sets a number in a row.
    ///
    /// @param field from [#field(String)]
    /// @throws IllegalArgumentException if the field has another type
    @Hot
    public RawRows set(int field, int inRow, double value) {
        Tensor input = inputs[field];
        if (!input.datatype().isFloating()) {
            throw wrong(field, value);
        }
        input.setReal(inRow, value);
        input.setNull(inRow, false);
        return this;
    }

    /// Sets a number in a row; where truth values are wanted, 1 or 0; where times are, microseconds
    /// since 1970.
    ///
    /// @throws IllegalArgumentException if the field has another type, or such a value does not fit
    @Hot
    public RawRows set(int field, int inRow, long value) {
        Tensor input = inputs[field];
        switch (plan.type(field)) {
            case FLOAT64, FLOAT32:
                return set(field, inRow, (double) value);
            case STRING:
                throw wrong(field, value);
            default:
                input.setLong(inRow, value);
                if (input.getLong(inRow) != value) {
                    throw wrong(field, value);
                }
                input.setNull(inRow, false);
                return this;
        }
    }

    /// Sets a text in a row from bytes in UTF-8, which are copied.
    ///
    /// @throws IllegalArgumentException if the field has another type
    @Hot
    public RawRows set(int field, int inRow, byte[] utf8) {
        if (plan.type(field) != ValueType.STRING) {
            throw wrong(field, "a text");
        }
        inputs[field].setBytes(inRow, utf8, 0, utf8.length);
        inputs[field].setNull(inRow, false);
        return this;
    }

    /// Sets a text in a row. Allocates.
    public RawRows set(int field, int inRow, String text) {
        return set(field, inRow, text.getBytes(StandardCharsets.UTF_8));
    }

    /// Sets a field to null in a row, as it is in the beginning.
    @Hot
    public RawRows setNull(int field, int inRow) {
        inputs[field].setNull(inRow, true);
        return this;
    }

    /// Sets a number that all rows have.
    @Hot
    public RawRows common(int field, double value) {
        shape(inputs[field], 1);
        return set(field, 0, value);
    }

    /// Sets a whole number, truth value or time that all rows have.
    @Hot
    public RawRows common(int field, long value) {
        shape(inputs[field], 1);
        return set(field, 0, value);
    }

    /// Sets a text that all rows have, from bytes in UTF-8, which are copied.
    @Hot
    public RawRows common(int field, byte[] utf8) {
        shape(inputs[field], 1);
        return set(field, 0, utf8);
    }

    /// Sets a text that all rows have. Allocates.
    public RawRows common(int field, String text) {
        return common(field, text.getBytes(StandardCharsets.UTF_8));
    }

    private IllegalArgumentException wrong(int field, double came) {
        return wrong(field, Double.toString(came));
    }

    private IllegalArgumentException wrong(int field, long came) {
        return wrong(field, Long.toString(came));
    }

    private IllegalArgumentException wrong(int field, String came) {
        return new IllegalArgumentException("field '" + plan.fieldName(field) + "' was given " + came + ", expected "
                + plan.type(field).word());
    }

    /// Whether stored values are far away, and are fetched before rows are written.
    @Hot
    public boolean isRemote() {
        return fetch != null;
    }

    /// Begins to fetch what is stored about the entities of the rows that were set; only if it [#isRemote()].
    ///
    /// @param timeoutNanos when to give up at the latest
    /// @return ends in time and normally, on any thread
    public CompletableFuture<?> fetch(long timeoutNanos) {
        return fetch.begin(inputs, timeoutNanos);
    }

    /// Has the rows read what was fetched; waits for that, and fetches it if nobody has.
    ///
    /// @return why the request is refused, because a store cannot be asked; or null
    public String takeFetched(long timeoutNanos) {
        if (!fetch.isBegun()) {
            fetch.fetchNow(inputs, timeoutNanos);
        }
        return fetch.take();
    }

    /// What was fetched was for the last request.
    public void forgetFetched() {
        if (fetch != null) {
            fetch.forget();
        }
    }

    /// How many rows there are; -1 if that is not clear, and [#problem()] says why.
    @Hot
    public long rowCount() {
        long rows = -1;
        for (int i = 0; i < inputs.length; i++) {
            Tensor input = inputs[i];
            if (!input.hasShape()) {
                continue;
            }
            if (input.rank() != 1) {
                return wrongRank(i);
            }
            long count = input.dim(0);
            if (rows <= 1 || count == rows) {
                rows = rows < 0 || count != 1 ? count : rows;
            } else if (count != 1) {
                return wrongCount(i, rows);
            }
        }
        return rows < 1 ? noRows() : rows;
    }

    private long wrongRank(int input) {
        problem = "input '" + plan.fieldName(input) + "' has shape " + Arrays.toString(inputs[input].shape())
                + ", expected one dimension, a value for each row";
        return -1;
    }

    private long wrongCount(int input, long rows) {
        problem = "input '" + plan.fieldName(input) + "' has " + inputs[input].dim(0)
                + " values, expected one for each of " + rows + " rows, or one for all";
        return -1;
    }

    private long noRows() {
        problem = "there is no row, expected at least one value in "
                + plan.spec().request().size() + " inputs";
        return -1;
    }

    /// Writes the columns of all rows into a model's input; false if one is rejected, and
    /// [#problem()] says why.
    ///
    /// @param rows from [#rowCount()]
    /// @param target has the shape for them
    @Hot
    public boolean write(long rows, Tensor target) {
        try {
            return writeAll(rows, target);
        } catch (IllegalArgumentException e) {
            counts.rejected();
            problem = e.getMessage();
            return false;
        }
    }

    @Hot
    private boolean writeAll(long rows, Tensor target) {
        long now = requestTime == NOW ? System.currentTimeMillis() * 1000 : requestTime;
        row.begin(now);
        if (reporting) {
            shapeReports(rows);
        }
        boolean anyCommon = rows > 1 && setCommon();
        if (anyCommon && !plan.fix(row, common)) {
            return rejected(-1);
        }
        long stride = (long) plan.width() * Float.BYTES;
        for (long i = 0; i < rows; i++) {
            if (i > 0) {
                if (anyCommon) {
                    row.next();
                } else {
                    row.begin(now);
                }
            }
            setFields(i, anyCommon);
            if (!plan.write(row, target.data(), i * stride)) {
                return rejected(rows == 1 ? -1 : i);
            }
            counts.written(row, features);
            if (reporting) {
                note(i);
            }
        }
        return true;
    }

    /// Sets what all rows have in common; whether there is such.
    @Hot
    private boolean setCommon() {
        boolean any = false;
        for (int i = 0; i < inputs.length; i++) {
            common[i] = !inputs[i].hasShape() || inputs[i].dim(0) == 1;
            any |= common[i];
            if (common[i]) {
                set(i, 0);
            }
        }
        return any;
    }

    @Hot
    private void setFields(long index, boolean anyCommon) {
        for (int i = 0; i < inputs.length; i++) {
            if (!anyCommon || !common[i]) {
                set(i, index);
            }
        }
    }

    @Hot
    private void set(int field, long index) {
        Tensor input = inputs[field];
        if (!input.hasShape() || input.isNull(index)) {
            return;
        }
        switch (plan.type(field)) {
            case FLOAT64:
                row.set(field, input.getDouble(index));
                break;
            case FLOAT32:
                row.set(field, (double) input.getFloat(index));
                break;
            case STRING:
                int place = (int) index;
                row.set(field, input.texts(), input.textOffset(place), input.textLength(place));
                break;
            default:
                row.set(field, input.getLong(index));
        }
    }

    private boolean rejected(long index) {
        counts.rejected();
        problem = (index < 0 ? "" : "row " + index + ": ") + row.problem();
        return false;
    }

    private void shapeReports(long rows) {
        reports[STATUS].reshape(rows, features).keys(names);
        reports[AGE].reshape(rows, features).keys(names);
        reports[DEGRADED].reshape(rows);
    }

    private void note(long index) {
        for (int i = 0; i < features; i++) {
            long at = index * features + i;
            reports[STATUS].setBytes((int) at, STATUS_NAMES[row.status(i).ordinal()]);
            reports[AGE].setLong(at, row.ageMicros(i));
        }
        reports[DEGRADED].setLong(index, row.isDegraded() ? 1 : 0);
    }

    /// What was wrong with the last request.
    public String problem() {
        return problem;
    }

    /// The bytes that the tensors hold, whatever their shapes.
    public long heldBytes() {
        long bytes = 0;
        for (Tensor input : inputs) {
            bytes += input.heldBytes();
        }
        for (Tensor report : reports) {
            bytes += report.heldBytes();
        }
        return bytes;
    }

    /// The same values for another plan that takes them, with its rows' room; this one is closed. If there is not
    /// enough memory the other one is, and this one is as it was.
    ///
    /// @param other of that plan, just opened
    public RawRows movedTo(RawRows other) {
        try {
            for (int i = 0; i < inputs.length; i++) {
                if (inputs[i].hasShape()) {
                    other.inputs[i].copyFrom(inputs[i]);
                }
            }
        } catch (RuntimeException e) {
            other.close();
            throw e;
        }
        if (fetch != null && other.fetch != null) {
            other.fetch.adopt(fetch);
        }
        other.reporting = reporting;
        other.requestTime = requestTime;
        close();
        return other;
    }

    @Override
    public void close() {
        counters.end(counts);
        row.close();
        for (Tensor input : inputs) {
            input.close();
        }
        for (Tensor report : reports) {
            report.close();
        }
    }
}
