// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.Arrays;
import java.util.List;

/// How a model's inputs are made of rows.
///
/// Threads: immutable, any.
///
/// @param inputs what the model takes
/// @param batch how many rows a run takes: [#ANY], a number that is fixed, or [#WHOLE] where the leading dimensions are
///     none of a batch and a run takes what one request has
record RowShapes(List<TensorSpec> inputs, long batch) {
    /// Any number.
    static final long ANY = -1;
    /// Inputs do not consist of rows.
    static final long WHOLE = -2;

    /// @param apart whether requests are to be kept apart where they may have any number of rows
    static RowShapes of(Signature signature, boolean apart) {
        long batch = batch(signature);
        return new RowShapes(signature.inputs(), apart && batch == ANY ? WHOLE : batch);
    }

    private static long batch(Signature signature) {
        long batch = WHOLE;
        for (TensorSpec input : signature.inputs()) {
            if (input.shape().isEmpty()
                    || (batch != WHOLE && batch != input.shape().getFirst())) {
                return WHOLE;
            }
            batch = input.shape().getFirst();
        }
        if (batch == 0) {
            return WHOLE;
        }
        for (TensorSpec output : signature.outputs()) {
            long rows = output.shape().isEmpty() ? 0 : output.shape().getFirst();
            if (rows != batch && rows != ANY) {
                return WHOLE;
            }
        }
        return batch;
    }

    /// How many rows are to be put into a batch where `wanted` are wanted.
    int rows(int wanted) {
        if (wanted < 1) {
            throw new IllegalArgumentException("a batch of " + wanted + " rows, expected at least 1");
        }
        return batch == ANY ? wanted : batch == WHOLE ? 1 : Math.toIntExact(batch);
    }

    /// What a row of an input is like: its shape without the batch, -1 where that is open.
    long[] row(int input) {
        long[] dims = inputs.get(input).dims();
        if (batch != WHOLE) {
            return Arrays.copyOfRange(dims, 1, dims.length);
        }
        if (dims.length > 0 && dims[0] < 0) {
            dims[0] = 1;
        }
        return dims;
    }

    /// How many rows a request has; one that has none counts as one.
    long count(Tensor[] request) {
        for (int i = 0; i < request.length; i++) {
            TensorSpec input = inputs.get(i);
            if (batch != WHOLE || (!input.shape().isEmpty() && input.shape().getFirst() < 0)) {
                return request[i].dim(0);
            }
        }
        return 1;
    }

    /// The shape of so many rows.
    long[] shape(long[] row, long rows) {
        if (batch == WHOLE) {
            return row.clone();
        }
        long[] shape = new long[row.length + 1];
        shape[0] = rows;
        System.arraycopy(row, 0, shape, 1, row.length);
        return shape;
    }
}
