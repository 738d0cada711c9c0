// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.history.PointInTime;
import dev.millrace.spec.Feature;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import dev.millrace.table.TableReader;
import dev.millrace.table.TableWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads rows, has a plan write each of them, and writes what came of it in the same order.
///
/// Threads: one. Memory: a batch of rows, whatever the file's size.
final class Transforming {
    /// How many values a batch has, unless a row has more.
    private static final int BATCH_VALUES = 1 << 21;

    private static final int MOST_ROWS = 4096;
    private static final String STATUS = "_status";

    /// What is to be done.
    ///
    /// @param keep columns of the data that are written, too, before the others
    /// @param status whether the features' statuses are written
    record Task(
            FeaturePlan plan,
            TableFile data,
            FieldBinding fields,
            List<Column> keep,
            Path out,
            OnRejected onRejected,
            boolean status) {
        /// What is read: the fields' columns, and those that are kept.
        List<Column> columns() {
            List<Column> all = new ArrayList<>(fields.columns());
            all.addAll(keep);
            return all;
        }
    }

    /// Told how far it is.
    @FunctionalInterface
    interface Progress {
        /// @param rows how many were transformed, or rejected
        /// @param part which part of the data was read, from 0 to 1
        void at(long rows, double part);
    }

    /// What came of it.
    ///
    /// @param rows how many were read
    /// @param rejected how many of them were
    /// @param degraded how many of the others are degraded
    /// @param firstProblem what the first one was rejected for; empty if none was
    record Result(long rows, long rejected, long degraded, String firstProblem) {}

    private final Task task;
    private final PointInTime moment;
    private final FeatureRow row;
    private final float[] floats;
    private final MemorySegment segment;
    private final TableBatch batch;
    private final List<Column> written;
    /// What is written beside what is kept: the columns, then the statuses.
    private final ColumnValues[] made;

    private final TableBatch result;
    private final boolean[] rejected;
    private long rejections;
    private long degraded;
    private String firstProblem = "";

    /// @throws IllegalArgumentException if the source has not what the plan needs, or two columns
    ///     would have the same name
    Transforming(Task task, PointInTime source) {
        this.task = task;
        moment = source;
        row = task.plan().newRow(source);
        floats = new float[task.plan().width()];
        segment = MemorySegment.ofArray(floats);
        written = written(task);
        List<Column> read = task.columns();
        int rows = Math.clamp(BATCH_VALUES / (read.size() + written.size()), 1, MOST_ROWS);
        batch = TableBatch.of(read.isEmpty() ? task.data().columns().subList(0, 1) : read, rows);
        int kept = task.keep().size();
        List<ColumnValues> values = new ArrayList<>();
        for (int i = 0; i < kept; i++) {
            values.add(batch.values(read.size() - kept + i));
        }
        made = new ColumnValues[written.size() - kept];
        for (int i = 0; i < made.length; i++) {
            made[i] = new ColumnValues(written.get(kept + i).type(), rows);
            values.add(made[i]);
        }
        result = TableBatch.of(written, values);
        rejected = new boolean[rows];
    }

    private static List<Column> written(Task task) {
        boolean nullable = task.onRejected() == OnRejected.NULL;
        List<Column> columns = new ArrayList<>(task.keep());
        for (String name : task.plan().columns()) {
            columns.add(new Column(name, ColumnType.FLOAT32, nullable));
        }
        if (task.status()) {
            for (Feature feature : task.plan().spec().features()) {
                columns.add(new Column(feature.name() + STATUS, ColumnType.STRING, nullable));
            }
        }
        return columns;
    }

    /// Transforms all rows.
    ///
    /// @throws RowRejected if a row is rejected and none may be; then nothing is written
    /// @throws IOException if the data cannot be read, or the rest not be written; the same then
    Result run(Progress progress) throws IOException {
        long rows = 0;
        try (TableWriter writer = TableWriter.create(task.out(), written);
                TableReader reader = task.data().read(batch.columns(), true)) {
            while (reader.next(batch)) {
                transform();
                if (task.onRejected() == OnRejected.SKIP) {
                    result.remove(rejected);
                }
                writer.append(result);
                rows += batch.rows();
                progress.at(rows, reader.progress());
            }
            writer.finish();
        }
        return new Result(rows, rejections, degraded, firstProblem);
    }

    private void transform() throws RowRejected {
        for (ColumnValues values : made) {
            values.clear();
        }
        int count = batch.rows();
        result.rows(count);
        Arrays.fill(rejected, false);
        for (int i = 0; i < count; i++) {
            String problem = batch.problem(i) == null ? write(i) : batch.problem(i);
            if (problem == null) {
                take(i);
            } else {
                reject(i, problem);
            }
        }
    }

    /// Has the plan write a row; what is wrong with it, or null.
    private String write(int index) {
        try {
            moment.at(task.fields().fill(row, batch, index));
        } catch (IllegalArgumentException e) {
            return batch.place(index) + ": " + e.getMessage();
        }
        return task.plan().write(row, segment, 0) ? null : batch.place(index) + ", " + row.problem();
    }

    private void take(int index) {
        for (int i = 0; i < floats.length; i++) {
            made[i].setFloat(index, floats[i]);
        }
        for (int i = floats.length; i < made.length; i++) {
            made[i].setString(index, row.status(i - floats.length).name());
        }
        degraded += row.isDegraded() ? 1 : 0;
    }

    private void reject(int index, String problem) throws RowRejected {
        if (task.onRejected() == OnRejected.FAIL) {
            throw new RowRejected(task.data().file() + ": " + problem);
        }
        firstProblem = rejections++ == 0 ? problem : firstProblem;
        rejected[index] = true;
        for (ColumnValues values : made) {
            values.setNull(index);
        }
    }
}
