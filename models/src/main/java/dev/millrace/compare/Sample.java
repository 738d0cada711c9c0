// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The first rows of the data, kept for timing. Threads: one. Ownership: whoever made it closes it.
final class Sample implements AutoCloseable {
    private final List<Tensor[]> batches = new ArrayList<>();
    private final int wanted;
    private final boolean independent;
    private long rows;

    /// @param wanted how many rows are kept, at least; of what is not rows, the first batch
    /// @param independent whether rows may be put together otherwise
    Sample(int wanted, boolean independent) {
        this.wanted = wanted;
        this.independent = independent;
    }

    void offer(Tensor[] inputs) {
        if (batches.isEmpty() || (independent && rows < wanted && isAlike(inputs))) {
            Tensor[] copies = new Tensor[inputs.length];
            for (int i = 0; i < copies.length; i++) {
                copies[i] = new Tensor(MemoryTag.CALL, inputs[i].datatype());
                copies[i].copyFrom(inputs[i]);
            }
            batches.add(copies);
            rows += independent ? inputs[0].dim(0) : 1;
        }
    }

    private boolean isAlike(Tensor[] inputs) {
        for (int i = 0; i < inputs.length; i++) {
            long[] shape = inputs[i].shape();
            shape[0] = -1;
            if (!batches.getFirst()[i].fits(shape)) {
                return false;
            }
        }
        return true;
    }

    boolean isEmpty() {
        return batches.isEmpty();
    }

    /// The first batch as it came; it belongs to the sample.
    Tensor[] first() {
        return batches.getFirst();
    }

    /// So many rows, from the beginning again where there are fewer; they belong to the caller.
    Tensor[] rows(int count) {
        Tensor[] tensors = new Tensor[first().length];
        for (int i = 0; i < tensors.length; i++) {
            long[] shape = first()[i].shape();
            shape[0] = count;
            tensors[i] = new Tensor(MemoryTag.CALL, first()[i].datatype());
            tensors[i].reshape(shape);
            int row = 0;
            while (row < count) {
                for (Tensor[] batch : batches) {
                    int some = (int) Math.min(count - row, batch[i].dim(0));
                    copy(batch[i], tensors[i], row, some);
                    row += some;
                }
            }
        }
        return tensors;
    }

    private static void copy(Tensor from, Tensor to, int row, int count) {
        long elements = from.elementCount() / from.dim(0);
        if (from.datatype() == DataType.BYTES) {
            for (int i = 0; i < count * elements; i++) {
                to.setBytes(Math.toIntExact(row * elements + i), from.getBytes(i));
            }
            return;
        }
        long bytes = elements * from.datatype().byteSize();
        MemorySegment.copy(from.data(), 0, to.data(), row * bytes, count * bytes);
    }

    @Override
    public void close() {
        batches.forEach(batch -> Arrays.stream(batch).forEach(Tensor::close));
    }
}
