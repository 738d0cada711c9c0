// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.util.Arrays;

/// Several tensors with one end. Threads: one. Ownership: whoever has it closes it.
///
/// @param all they
record Tensors(Tensor[] all) implements AutoCloseable {
    /// A copy of one row of each, as a batch of 1.
    Tensors row(long row) {
        Tensor[] rows = new Tensor[all.length];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = row(all[i], row);
        }
        return new Tensors(rows);
    }

    private static Tensor row(Tensor many, long row) {
        long[] shape = many.shape();
        shape[0] = 1;
        Tensor one = new Tensor(MemoryTag.CALL, many.datatype()).reshape(shape);
        long first = row * one.elementCount();
        for (long i = 0; i < one.elementCount(); i++) {
            switch (many.datatype()) {
                case BYTES -> one.setBytes((int) i, many.getBytes((int) (first + i)));
                case FP32 -> one.setFloat(i, many.getFloat(first + i));
                case FP64 -> one.setDouble(i, many.getDouble(first + i));
                default -> one.setLong(i, many.getLong(first + i));
            }
        }
        return one;
    }

    @Override
    public void close() {
        Arrays.stream(all).forEach(Tensor::close);
    }
}
