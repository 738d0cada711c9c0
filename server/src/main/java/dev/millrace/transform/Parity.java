// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.dataset.InvalidDataException;
import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.history.PointInTime;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Compares what training has with what was served, row by row: the base is the point-in-time join of
/// the views' logs, the test a [Replay] of the same logs, or vectors that were logged.
///
/// Threads: one. Memory: for a replay all requests, as they are served in the order of their times;
/// for logged vectors a batch of them.
final class Parity {
    private static final int BATCH_ROWS = 4096;

    private final FeaturePlan plan;
    private final TableFile data;
    private final FieldBinding fields;
    private final PointInTime moment;
    private final FeatureRow baseRow;
    private final float[] base;
    private final MemorySegment baseSegment;
    private final float[] test;
    private final MemorySegment testSegment;
    private final List<ParityColumn> columns = new ArrayList<>();
    private long rows;
    private long unequal;
    private long baseRejected;
    private long testRejected;
    private String problem = "";

    /// What is compared, and how.
    ///
    /// @param data the requests
    /// @param fields of the data, with the time of the request
    /// @param tolerance how far values may be apart
    /// @param examples how many examples are kept for a column
    record Task(FeaturePlan plan, TableFile data, FieldBinding fields, double tolerance, int examples) {}

    /// What came of it.
    ///
    /// @param rows how many were compared
    /// @param unequal how many of them have a column that is not equal
    /// @param baseRejected how many have no base, as the specification rejects them
    /// @param testRejected how many have no test for that, of a replay
    /// @param problem what the first of all these was rejected for; empty if none was
    record Result(
            long rows, long unequal, long baseRejected, long testRejected, String problem, List<ParityColumn> columns) {
        /// Whether there is no difference.
        boolean isEqual() {
            return columns.stream().allMatch(ParityColumn::isEqual);
        }
    }

    private record Request(TableBatch batch, int row, long micros) {}

    /// @param source what was known when a request came
    Parity(Task task, PointInTime source) {
        this.plan = task.plan();
        this.data = task.data();
        this.fields = task.fields();
        this.moment = source;
        this.baseRow = plan.newRow(source);
        this.base = new float[plan.width()];
        this.baseSegment = MemorySegment.ofArray(base);
        this.test = new float[plan.width()];
        this.testSegment = MemorySegment.ofArray(test);
        plan.columns().forEach(name -> columns.add(new ParityColumn(name, task.tolerance(), task.examples())));
    }

    /// Compares with what is served when the logs are replayed.
    Result compare(Replay replay) throws IOException {
        for (Request request : requests()) {
            TableBatch batch = request.batch();
            replay.until(request.micros());
            fillBase(batch, request.row());
            if (!write(replay.row(), testSegment, batch, request.row())) {
                testRejected++;
                Arrays.fill(test, Float.NaN);
            }
            add(batch, request.row());
        }
        return result();
    }

    /// All requests, in the order in which they came.
    private List<Request> requests() throws IOException {
        List<Request> all = new ArrayList<>();
        try (TableReader reader = data.read(fields.columns(), true)) {
            TableBatch batch = TableBatch.of(fields.columns(), BATCH_ROWS);
            while (reader.next(batch)) {
                for (int row = 0; row < batch.rows(); row++) {
                    requireRight(data, batch, row);
                    all.add(new Request(batch, row, fields.time(batch, row)));
                }
                batch = TableBatch.of(fields.columns(), BATCH_ROWS);
            }
        }
        all.sort(Comparator.comparingLong(Request::micros));
        return all;
    }

    /// Compares with vectors that were logged, in the order of the data.
    ///
    /// @param served with a column for each of the specification's
    Result compare(TableFile served) throws IOException {
        List<Column> vectors = new ArrayList<>();
        for (String name : plan.columns()) {
            if (!served.has(name) && !served.mayHaveMore()) {
                throw new InvalidDataException(
                        served.file(),
                        "there is no column '" + name + "', which is one of "
                                + plan.spec().name());
            }
            vectors.add(Column.nullable(name, ColumnType.FLOAT32));
        }
        TableBatch requests = TableBatch.of(fields.columns(), BATCH_ROWS);
        TableBatch logged = TableBatch.of(vectors, BATCH_ROWS);
        try (TableReader reader = data.read(fields.columns(), true);
                TableReader other = served.read(vectors, true)) {
            while (next(reader, requests, other, logged, served)) {
                for (int row = 0; row < requests.rows(); row++) {
                    requireRight(data, requests, row);
                    requireRight(served, logged, row);
                    fillBase(requests, row);
                    take(logged, row);
                    add(requests, row);
                }
            }
        }
        return result();
    }

    /// Reads as many rows of both.
    private boolean next(TableReader reader, TableBatch requests, TableReader other, TableBatch logged, TableFile file)
            throws IOException {
        boolean more = reader.next(requests);
        boolean moreLogged = other.next(logged);
        int came = moreLogged ? logged.rows() : 0;
        int expected = more ? requests.rows() : 0;
        if (came != expected) {
            throw new InvalidDataException(
                    file.file(),
                    "it has " + (came < expected ? "fewer" : "more") + " rows than " + data.file()
                            + ", expected one for each of them, in their order");
        }
        return more;
    }

    private static void requireRight(TableFile file, TableBatch batch, int row) throws InvalidDataException {
        if (batch.problem(row) != null) {
            throw new InvalidDataException(file.file(), batch.problem(row));
        }
    }

    private void fillBase(TableBatch batch, int row) throws InvalidDataException {
        moment.at(fields.time(batch, row));
        if (!write(baseRow, baseSegment, batch, row)) {
            baseRejected++;
            Arrays.fill(base, Float.NaN);
        }
    }

    /// @return whether the row is not rejected
    private boolean write(FeatureRow to, MemorySegment floats, TableBatch batch, int row) throws InvalidDataException {
        try {
            fields.fill(to, batch, row);
        } catch (IllegalArgumentException e) {
            throw new InvalidDataException(data.file(), batch.place(row) + ": " + e.getMessage(), e);
        }
        if (plan.write(to, floats, 0)) {
            return true;
        }
        problem = problem.isEmpty() ? batch.place(row) + ", " + to.problem() : problem;
        return false;
    }

    private void take(TableBatch logged, int row) {
        for (int i = 0; i < test.length; i++) {
            ColumnValues values = logged.values(i);
            test[i] = values.isNull(row) ? Float.NaN : values.getFloat(row);
        }
    }

    private void add(TableBatch batch, int row) {
        boolean equal = true;
        for (int i = 0; i < base.length; i++) {
            ParityColumn column = columns.get(i);
            if (!column.add(base[i], test[i])) {
                equal = false;
                column.example(batch.place(row), base[i], test[i]);
            }
        }
        rows++;
        unequal += equal ? 0 : 1;
    }

    private Result result() {
        return new Result(rows, unequal, baseRejected, testRejected, problem, columns);
    }
}
