// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Gathers the rows of requests. Rows that are not alike, as open dimensions let them be, are in different batches.
///
/// Threads: one. Ownership: whoever made it closes it.
final class RequestBatch implements AutoCloseable {
    private final Tensor[] tensors;
    private final double[] labels;
    private final boolean labelled;
    private final Dataset.Sink sink;
    private final int capacity;
    private int rows;

    RequestBatch(List<TensorSpec> specs, boolean labelled, int capacity, Dataset.Sink sink) {
        this.tensors = new Tensor[specs.size()];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = new Tensor(MemoryTag.CALL, specs.get(i).datatype());
        }
        this.labelled = labelled;
        this.labels = new double[labelled ? capacity : 0];
        this.capacity = capacity;
        this.sink = sink;
    }

    /// Adds the rows of a request, of which all inputs have as many.
    void add(Tensor[] request, double[] requestLabels) throws IOException {
        if (rows > 0 && !isAlike(request)) {
            deliver();
        }
        int count = Math.toIntExact(request[0].dim(0));
        int from = 0;
        while (from < count) {
            int some = Math.min(count - from, capacity - rows);
            if (rows == 0) {
                shape(request);
            }
            for (int i = 0; i < tensors.length; i++) {
                copy(request[i], from, tensors[i], rows, some);
            }
            if (labelled) {
                System.arraycopy(requestLabels, from, labels, rows, some);
            }
            from += some;
            rows += some;
            if (rows == capacity) {
                deliver();
            }
        }
    }

    private boolean isAlike(Tensor[] request) {
        for (int i = 0; i < tensors.length; i++) {
            long[] shape = request[i].shape();
            shape[0] = -1;
            if (!tensors[i].fits(shape)) {
                return false;
            }
        }
        return true;
    }

    private void shape(Tensor[] request) {
        for (int i = 0; i < tensors.length; i++) {
            long[] shape = request[i].shape();
            shape[0] = capacity;
            tensors[i].reshape(shape);
        }
    }

    private static void copy(Tensor from, long fromRow, Tensor to, long toRow, long count) {
        long elements = from.elementCount() / from.dim(0);
        if (from.datatype() == DataType.BYTES) {
            for (long i = 0; i < count * elements; i++) {
                byte[] text = from.getBytes(Math.toIntExact(fromRow * elements + i));
                to.setBytes(Math.toIntExact(toRow * elements + i), text);
            }
            return;
        }
        long bytes = elements * from.datatype().byteSize();
        MemorySegment.copy(from.data(), fromRow * bytes, to.data(), toRow * bytes, count * bytes);
    }

    /// Delivers what there is.
    void deliver() throws IOException {
        if (rows > 0) {
            for (Tensor tensor : tensors) {
                tensor.rows(rows);
            }
            sink.accept(new Dataset.Batch(tensors, rows, Arrays.copyOf(labels, Math.min(rows, labels.length))));
            rows = 0;
        }
    }

    @Override
    public void close() {
        Arrays.stream(tensors).forEach(Tensor::close);
    }
}
