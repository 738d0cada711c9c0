// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.Tensor;
import java.util.Arrays;

/// The outputs of one answer that are sent as bytes behind its JSON, in their order.
///
/// Threads: one; used again and again. Ownership: the tensors stay the call's.
public final class BinaryOutputs {
    private static final int LENGTH_BYTES = 4;

    private Tensor[] tensors = new Tensor[4];
    private int count;
    private long bytes;

    /// Forgets those of the last answer.
    @Hot
    public void reset() {
        for (int i = 0; i < count; i++) {
            tensors[i] = null;
        }
        count = 0;
        bytes = 0;
    }

    /// Adds an output, and tells how many bytes it takes.
    @Hot
    long add(Tensor tensor) {
        if (count == tensors.length) {
            grow();
        }
        tensors[count++] = tensor;
        long size = tensor.datatype() == DataType.BYTES ? stringBytes(tensor) : tensor.byteSize();
        bytes += size;
        return size;
    }

    private void grow() {
        tensors = Arrays.copyOf(tensors, 2 * count);
    }

    @Hot
    private static long stringBytes(Tensor tensor) {
        long sum = 0;
        for (int i = 0; i < tensor.elementCount(); i++) {
            sum += LENGTH_BYTES + tensor.getBytes(i).length;
        }
        return sum;
    }

    /// Whether there is none.
    @Hot
    public boolean isEmpty() {
        return count == 0;
    }

    /// How many there are.
    @Hot
    public int count() {
        return count;
    }

    /// One of them. Strings are sent each behind its length in four bytes, the lowest first.
    @Hot
    public Tensor tensor(int index) {
        return tensors[index];
    }

    /// What all of them take.
    @Hot
    public long bytes() {
        return bytes;
    }
}
