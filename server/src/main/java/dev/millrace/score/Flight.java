// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Outcome;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// Rows on their way to the model and back: the batch that they were read into, the call that asks
/// for them, and the columns that their answers go to. Used again and again.
///
/// Threads: one owner; any thread tells it the end of its call. Ownership: it owns the call.
final class Flight implements Completion, AutoCloseable {
    private final Thread owner = Thread.currentThread();
    private final Call call;
    private TableBatch rows;
    private int[] sound;
    private int soundCount;
    private boolean[] failed;
    private List<ColumnValues> answers;
    private TableBatch result;
    private volatile Outcome outcome;

    /// @param call is closed with this
    Flight(Call call) {
        this.call = call;
    }

    /// The rows as they are read, at most so many.
    TableBatch batch(List<Column> columns, int capacity) {
        if (rows == null || rows.capacity() != capacity) {
            rows = TableBatch.of(columns, capacity);
            sound = new int[capacity];
            failed = new boolean[capacity];
            result = null;
        }
        return rows;
    }

    /// Finds the rows that have no problem; how many there are.
    int findSound() {
        soundCount = 0;
        for (int row = 0; row < rows.rows(); row++) {
            failed[row] = rows.problem(row) != null;
            if (!failed[row]) {
                sound[soundCount++] = row;
            }
        }
        return soundCount;
    }

    TableBatch rows() {
        return rows;
    }

    Call call() {
        return call;
    }

    /// The rows that have no problem, the first [#soundCount()] of these.
    int[] sound() {
        return sound;
    }

    int soundCount() {
        return soundCount;
    }

    /// For each row whether it has no answer.
    boolean[] failed() {
        return failed;
    }

    /// What is written: columns that were read, which are the last ones of the batch, and those of
    /// the outputs.
    ///
    /// @param kept how many columns that were read are to be written
    TableBatch result(List<Column> columns, int kept) {
        if (result == null) {
            List<ColumnValues> values = new ArrayList<>();
            int first = rows.columns().size() - kept;
            for (int i = 0; i < kept; i++) {
                values.add(rows.values(first + i));
            }
            answers = new ArrayList<>();
            for (Column column : columns.subList(kept, columns.size())) {
                answers.add(new ColumnValues(column.type(), rows.capacity()));
            }
            values.addAll(answers);
            result = TableBatch.of(columns, values);
        }
        answers.forEach(ColumnValues::clear);
        result.rows(rows.rows());
        return result;
    }

    /// The columns that answers go to.
    List<ColumnValues> answers() {
        return answers;
    }

    /// Submits the call, whose inputs are filled.
    Outcome submit() {
        outcome = null;
        Outcome admission = call.submit(this);
        if (admission != Outcome.OK) {
            outcome = admission;
        }
        return admission;
    }

    /// Says how it ended without having been submitted.
    void end(Outcome how) {
        outcome = how;
    }

    @Override
    public void completed(Call ended, Outcome how) {
        outcome = how;
        LockSupport.unpark(owner);
    }

    boolean isDone() {
        return outcome != null;
    }

    /// Waits for the end.
    Outcome await() {
        while (outcome == null) {
            LockSupport.park(this);
        }
        return outcome;
    }

    @Override
    public void close() {
        call.close();
    }
}
