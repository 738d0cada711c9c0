// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A hash of shapes and elements: 16 bytes per multiplication. It says where to look; equality is decided by bytes.
///
/// Threads: stateless, any.
final class TensorHash {
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    // Odd numbers with as many ones as zeros, from the digits of square roots.
    private static final long ONE = 0x6A09E667F3BCC909L;
    private static final long TWO = 0xBB67AE8584CAA73BL;

    private TensorHash() {}

    /// @param seed drawn at random, so that nobody can choose inputs of equal hashes
    static long of(long seed, Tensor[] tensors) {
        long hash = seed;
        for (Tensor tensor : tensors) {
            hash = mix(hash ^ ONE, tensor.rank() ^ TWO);
            for (int axis = 0; axis < tensor.rank(); axis++) {
                hash = mix(hash ^ ONE, tensor.dim(axis) ^ TWO);
            }
            hash = elements(hash, tensor);
        }
        return hash;
    }

    private static long elements(long start, Tensor tensor) {
        if (tensor.datatype() != DataType.BYTES) {
            return bytes(start, tensor.data(), tensor.byteSize());
        }
        long hash = start;
        for (int i = 0; i < tensor.elementCount(); i++) {
            byte[] text = tensor.getBytes(i);
            hash = bytes(hash, MemorySegment.ofArray(text), text.length);
        }
        return hash;
    }

    private static long bytes(long start, MemorySegment data, long count) {
        long hash = start;
        long other = start ^ TWO;
        long offset = 0;
        for (; offset + 32 <= count; offset += 32) {
            hash = mix(data.get(LONG, offset) ^ ONE, data.get(LONG, offset + 8) ^ hash);
            other = mix(data.get(LONG, offset + 16) ^ TWO, data.get(LONG, offset + 24) ^ other);
        }
        for (; offset + 8 <= count; offset += 8) {
            hash = mix(data.get(LONG, offset) ^ ONE, hash);
        }
        long last = count;
        for (; offset < count; offset++) {
            last = (last << 8) | (data.get(BYTE, offset) & 0xFF);
        }
        return mix(hash ^ last ^ ONE, other ^ TWO);
    }

    private static long mix(long a, long b) {
        return Math.multiplyHigh(a, b) ^ (a * b);
    }
}
