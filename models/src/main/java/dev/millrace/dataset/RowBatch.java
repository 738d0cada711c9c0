// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.io.IOException;
import java.util.Arrays;

/// The batch that a table's rows are gathered in. Threads: one. Ownership: whoever made it closes it.
final class RowBatch implements AutoCloseable {
    private final Columns columns;
    private final Dataset.Sink sink;
    private final Tensor[] tensors;
    private final double[] labels;
    private final int capacity;
    private int rows;

    RowBatch(Columns columns, int wanted, Dataset.Sink sink) {
        this.columns = columns;
        this.sink = sink;
        this.capacity = columns.shapes().rows(wanted);
        this.labels = new double[columns.label() < 0 ? 0 : capacity];
        this.tensors = new Tensor[columns.inputs()];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = new Tensor(MemoryTag.CALL, columns.datatype(i));
        }
        clear();
    }

    private void clear() {
        rows = 0;
        for (int i = 0; i < tensors.length; i++) {
            tensors[i].reshape(columns.shapes().shape(columns.row(i), capacity));
        }
    }

    /// The tensor of an input; the row that is being filled begins at [#first(int)].
    Tensor tensor(int input) {
        return tensors[input];
    }

    long first(int input) {
        return (long) rows * columns.sources(input).length;
    }

    void label(double value) {
        labels[rows] = value;
    }

    /// Ends a row, and with it perhaps the batch.
    void endRow() throws IOException {
        rows++;
        if (rows == capacity) {
            deliver();
        }
    }

    /// Delivers what is left.
    ///
    /// @return how many rows there are that make no whole run, where that is fixed
    int end() throws IOException {
        if (rows > 0 && columns.shapes().batch() != RowShapes.ANY) {
            return rows;
        }
        if (rows > 0) {
            deliver();
        }
        return 0;
    }

    private void deliver() throws IOException {
        if (rows < capacity) {
            for (Tensor tensor : tensors) {
                tensor.rows(rows);
            }
        }
        sink.accept(new Dataset.Batch(tensors, rows, Arrays.copyOf(labels, Math.min(rows, labels.length))));
        clear();
    }

    @Override
    public void close() {
        Arrays.stream(tensors).forEach(Tensor::close);
    }
}
