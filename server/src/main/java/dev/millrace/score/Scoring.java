// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.model.Signature;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableReader;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Reads rows, submits them in batches of which several are on the way at a time, and writes the
/// answers in the order of the rows.
///
/// Threads: one, which reads and writes while others run the model. Ownership: it owns its calls;
/// whoever made it closes it.
final class Scoring implements AutoCloseable {
    /// How many batches are on the way at most: enough for runs to follow one another while rows
    /// are read and written.
    static final int FLIGHTS = 8;

    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    /// Told how far it is.
    @FunctionalInterface
    interface Progress {
        /// @param rows how many were answered, or have failed
        /// @param part which part of the data was read, from 0 to 1
        void at(long rows, double part);
    }

    /// What came of it.
    ///
    /// @param rows how many were read
    /// @param failed how many of them have no answer
    /// @param firstFailure what was wrong with the first of these; empty if there is none
    record Result(long rows, long failed, String firstFailure) {}

    private final ScorePlan plan;
    private final Signature signature;
    private final List<Column> columns;
    private final Flight[] ring = new Flight[FLIGHTS];
    private final Call spare;
    private final Progress progress;
    private int batchRows;
    private long head;
    private long tail;
    private long read;
    private long done;
    private long failed;
    private String firstFailure = "";
    private OutputColumns outputs;
    private List<Column> written;
    private TableWriter writer;

    Scoring(ScorePlan plan, Model model, Progress progress) {
        this.plan = plan;
        this.signature = model.signature();
        this.columns = plan.columns();
        this.progress = progress;
        this.batchRows = plan.batchRows();
        for (int i = 0; i < ring.length; i++) {
            ring[i] = new Flight(model.call());
        }
        this.spare = model.call();
    }

    /// Scores all rows.
    ///
    /// @throws RowsFailed if a row has no answer and that is not to be
    /// @throws IOException if the data cannot be read, or answers not be written; then nothing is
    Result run() throws IOException {
        try (TableReader reader = plan.data().read(columns, false)) {
            while (depart(reader)) {
                progress.at(done, reader.progress());
            }
            while (tail < head) {
                arrive();
            }
            finish();
        }
        return new Result(read, failed, firstFailure);
    }

    /// Reads a batch and submits it; false if there are no more rows.
    private boolean depart(TableReader reader) throws IOException {
        while (head - tail == ring.length || (tail < head && flight(tail).isDone())) {
            arrive();
        }
        Flight flight = flight(head);
        TableBatch rows = flight.batch(columns, batchRows);
        if (read >= plan.limit() || !reader.next(rows)) {
            return false;
        }
        rows.rows((int) Math.min(rows.rows(), plan.limit() - read));
        read += rows.rows();
        if (rows.rows() < batchRows && !plan.inputs().takesAnyRows()) {
            throw new RowsFailed(plan.data().file() + ": " + rows.rows()
                    + " rows are left at the end, expected a multiple of " + batchRows
                    + ", which is how many the model takes");
        }
        plan.inputs().check(rows);
        head++;
        if (flight.findSound() == 0) {
            flight.end(Outcome.OK);
        } else {
            plan.inputs().fill(flight.call(), rows, flight.sound(), 0, flight.soundCount());
            submit(flight);
        }
        return true;
    }

    private Flight flight(long number) {
        return ring[(int) (number % ring.length)];
    }

    /// Submits a batch, as soon as there is room for it.
    private void submit(Flight flight) throws IOException {
        while (flight.submit() == Outcome.OVERLOADED) {
            if (tail < head - 1) {
                arrive();
            } else {
                LockSupport.parkNanos(Math.max(PAUSE_NANOS, flight.call().retryAfterNanos()));
            }
        }
        if (flight.isDone() && flight.await() == Outcome.TOO_LARGE) {
            // It is run in parts when it arrives; those that follow are smaller.
            batchRows = plan.inputs().takesAnyRows() ? Math.max(1, flight.soundCount() / 2) : batchRows;
        }
    }

    /// Waits for the batch that comes next, and writes its answers.
    private void arrive() throws IOException {
        Flight flight = flight(tail++);
        Outcome outcome = flight.await();
        if (plan.onError() == OnError.STOP && flight.rows().hasProblems()) {
            failFirst(flight);
        }
        int count = flight.soundCount();
        if (count > 0 && outcome == Outcome.OK) {
            take(flight, flight.call(), 0, count);
        } else if (count > 0) {
            outcomeOfRows(flight, outcome, flight.call().message(), 0, count);
        }
        write(flight);
    }

    /// Takes the answer for some rows of a flight.
    private void take(Flight flight, Call call, int from, int to) throws IOException {
        try {
            if (outputs == null) {
                begin(OutputColumns.of(call, to - from, plan.onError() == OnError.NULL));
            }
            flight.result(written, plan.keep().size());
            outputs.copy(call, flight.answers(), flight.sound(), from, to);
        } catch (IllegalArgumentException e) {
            for (int i = from; i < to; i++) {
                fail(flight, flight.sound()[i], ": " + e.getMessage());
            }
        }
    }

    /// What has no answer together may have one in parts: a row that the model fails on fails
    /// nobody else.
    private void outcomeOfRows(Flight flight, Outcome outcome, String message, int from, int to) throws IOException {
        boolean ofTheRows = outcome == Outcome.FAILED || outcome == Outcome.INVALID || outcome == Outcome.TOO_LARGE;
        if (!ofTheRows) {
            throw new RowsFailed(place(flight, from) + ": " + message);
        }
        if (to - from == 1 || !plan.inputs().takesAnyRows()) {
            for (int i = from; i < to; i++) {
                fail(flight, flight.sound()[i], ": " + message);
            }
            return;
        }
        int middle = (from + to) >>> 1;
        runAlone(flight, from, middle);
        runAlone(flight, middle, to);
    }

    private void runAlone(Flight flight, int from, int to) throws IOException {
        plan.inputs().fill(spare, flight.rows(), flight.sound(), from, to);
        Outcome outcome = spare.run();
        while (outcome == Outcome.OVERLOADED) {
            LockSupport.parkNanos(Math.max(PAUSE_NANOS, spare.retryAfterNanos()));
            outcome = spare.run();
        }
        if (outcome == Outcome.OK) {
            take(flight, spare, from, to);
        } else {
            outcomeOfRows(flight, outcome, spare.message(), from, to);
        }
    }

    private String place(Flight flight, int sound) {
        return plan.data().file() + ": " + flight.rows().place(flight.sound()[sound]);
    }

    private void fail(Flight flight, int row, String problem) throws IOException {
        flight.failed()[row] = true;
        flight.rows().problem(row, problem);
        if (plan.onError() == OnError.STOP) {
            failFirst(flight);
        }
    }

    private void failFirst(Flight flight) throws RowsFailed {
        TableBatch rows = flight.rows();
        for (int row = 0; row < rows.rows(); row++) {
            if (rows.problem(row) != null) {
                throw new RowsFailed(plan.data().file() + ": " + rows.problem(row));
            }
        }
    }

    private void begin(OutputColumns found) throws IOException {
        outputs = found;
        written = new ArrayList<>(plan.keep());
        written.addAll(found.columns());
        try {
            writer = TableWriter.create(plan.out(), written);
        } catch (IllegalArgumentException e) {
            throw new RowsFailed(plan.out() + ": " + e.getMessage() + ", one of the data and one of the model");
        }
    }

    private void write(Flight flight) throws IOException {
        TableBatch rows = flight.rows();
        int count = rows.rows();
        if (rows.hasProblems()) {
            countFailures(rows);
        }
        done += count;
        if (outputs == null && plan.onError() == OnError.NULL) {
            begin(unasked());
        }
        if (outputs == null) {
            return; // nothing of it is written
        }
        TableBatch result = flight.result(written, plan.keep().size());
        if (rows.hasProblems() && plan.onError() == OnError.SKIP) {
            result.remove(flight.failed());
        } else if (rows.hasProblems()) {
            for (ColumnValues answer : flight.answers()) {
                setNull(answer, flight.failed(), count);
            }
        }
        writer.append(result);
    }

    private static void setNull(ColumnValues answer, boolean[] failed, int count) {
        for (int row = 0; row < count; row++) {
            if (failed[row]) {
                answer.setNull(row);
            }
        }
    }

    /// What the answers would have been like, if that is known without any.
    private OutputColumns unasked() throws RowsFailed {
        OutputColumns known = OutputColumns.of(signature, plan.onError() == OnError.NULL);
        if (known == null) {
            throw new RowsFailed(plan.data().file() + ": no row has an answer"
                    + (firstFailure.isEmpty() ? "" : ", " + firstFailure)
                    + "; the model leaves open how many elements its outputs have, and without an answer nothing can"
                    + " be written");
        }
        return known;
    }

    private void countFailures(TableBatch rows) {
        for (int row = 0; row < rows.rows(); row++) {
            if (rows.problem(row) != null) {
                firstFailure = failed == 0 ? rows.problem(row) : firstFailure;
                failed++;
            }
        }
    }

    private void finish() throws IOException {
        if (outputs == null) {
            begin(unasked());
        }
        writer.finish();
    }

    /// Frees the calls; what was not finished is not written.
    @Override
    public void close() throws IOException {
        for (Flight flight : ring) {
            flight.close();
        }
        spare.close();
        if (writer != null) {
            writer.close();
        }
    }
}
