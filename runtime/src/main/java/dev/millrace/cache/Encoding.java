// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Tensors of known datatypes as bytes: for each its rank and dimensions, then its elements; for an output the names of
/// its columns stand between. Strings have their length before them. No tensor's bytes begin those of another one.
///
/// Threads: one at a time, for it has scratch memory.
final class Encoding {
    private static final byte NUMBER = 0;
    private static final byte TEXT = 1;

    private final BlockCursor cursor;
    private long[] shape = new long[8];

    Encoding(BlockCursor cursor) {
        this.cursor = cursor;
    }

    /// The bytes that inputs take.
    static long inputBytes(Tensor[] tensors) {
        long bytes = 0;
        for (Tensor tensor : tensors) {
            bytes += tensorBytes(tensor);
        }
        return bytes;
    }

    /// The bytes that outputs take.
    static long outputBytes(Tensor[] tensors) {
        long bytes = 0;
        for (Tensor tensor : tensors) {
            bytes += Integer.BYTES + tensorBytes(tensor);
            List<?> keys = tensor.keys();
            for (int i = 0; i < keys.size(); i++) {
                bytes += Integer.BYTES + 1 + key(keys.get(i)).length;
            }
        }
        return bytes;
    }

    private static long tensorBytes(Tensor tensor) {
        long bytes = Integer.BYTES + (long) Long.BYTES * tensor.rank();
        if (tensor.datatype() != DataType.BYTES) {
            return bytes + tensor.byteSize();
        }
        for (int i = 0; i < tensor.elementCount(); i++) {
            bytes += Integer.BYTES + tensor.getBytes(i).length;
        }
        return bytes;
    }

    void putInputs(Tensor[] tensors) {
        for (Tensor tensor : tensors) {
            putShape(tensor);
            putElements(tensor);
        }
    }

    void putOutputs(Tensor[] tensors) {
        for (Tensor tensor : tensors) {
            putShape(tensor);
            putKeys(tensor.keys());
            putElements(tensor);
        }
    }

    private void putShape(Tensor tensor) {
        cursor.putInt(tensor.rank());
        for (int axis = 0; axis < tensor.rank(); axis++) {
            cursor.putLong(tensor.dim(axis));
        }
    }

    private void putElements(Tensor tensor) {
        if (tensor.datatype() != DataType.BYTES) {
            cursor.put(tensor.data(), tensor.byteSize());
            return;
        }
        for (int i = 0; i < tensor.elementCount(); i++) {
            putText(tensor.getBytes(i));
        }
    }

    private void putText(byte[] text) {
        cursor.putInt(text.length);
        cursor.put(text);
    }

    private void putKeys(List<?> keys) {
        cursor.putInt(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            cursor.put(new byte[] {keys.get(i) instanceof String ? TEXT : NUMBER});
            putText(key(keys.get(i)));
        }
    }

    private static byte[] key(Object key) {
        return key.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// Whether the inputs that follow are, bit for bit, those of `tensors`.
    boolean matchesInputs(Tensor[] tensors) {
        for (Tensor tensor : tensors) {
            if (!matchesShape(tensor) || !matchesElements(tensor)) {
                return false;
            }
        }
        return true;
    }

    private boolean matchesShape(Tensor tensor) {
        if (!cursor.matchesInt(tensor.rank())) {
            return false;
        }
        for (int axis = 0; axis < tensor.rank(); axis++) {
            if (!cursor.matchesLong(tensor.dim(axis))) {
                return false;
            }
        }
        return true;
    }

    private boolean matchesElements(Tensor tensor) {
        if (tensor.datatype() != DataType.BYTES) {
            return cursor.matches(tensor.data(), tensor.byteSize());
        }
        for (int i = 0; i < tensor.elementCount(); i++) {
            byte[] text = tensor.getBytes(i);
            if (!cursor.matchesInt(text.length) || !cursor.matches(text)) {
                return false;
            }
        }
        return true;
    }

    /// Gives `tensors` the outputs that follow.
    ///
    /// @throws dev.millrace.memory.MemoryExceededException if there is no memory for them
    void getOutputs(Tensor[] tensors) {
        for (Tensor tensor : tensors) {
            int rank = cursor.getInt();
            if (rank > shape.length) {
                shape = new long[rank];
            }
            for (int axis = 0; axis < rank; axis++) {
                shape[axis] = cursor.getLong();
            }
            tensor.reshape(shape, rank);
            getKeys(tensor);
            getElements(tensor);
        }
    }

    private void getKeys(Tensor tensor) {
        int count = cursor.getInt();
        if (count == 0) {
            tensor.keys(List.of());
            return;
        }
        List<Object> keys = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            boolean number = cursor.getBytes(1)[0] == NUMBER;
            String key = new String(cursor.getBytes(cursor.getInt()), StandardCharsets.UTF_8);
            keys.add(number ? (Object) Long.valueOf(key) : key);
        }
        tensor.keys(keys);
    }

    private void getElements(Tensor tensor) {
        if (tensor.datatype() != DataType.BYTES) {
            cursor.get(tensor.data(), tensor.byteSize());
            return;
        }
        for (int i = 0; i < tensor.elementCount(); i++) {
            tensor.setBytes(i, cursor.getBytes(cursor.getInt()));
        }
    }
}
