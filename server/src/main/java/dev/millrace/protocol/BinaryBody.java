// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;

/// Bytes that a request brings for its tensors, wherever they lie. Threads: one. Ownership: only to be read while the
/// request is decoded.
public interface BinaryBody {
    /// How many there are.
    @Hot
    int length();

    /// The 32-bit integer at `index`, its lowest byte first.
    @Hot
    int getInt(int index);

    /// Copies the bytes from `index` on until `target` is full.
    void get(int index, byte[] target);

    /// Copies `count` bytes from `index` on to the beginning of `target`.
    @Hot
    void get(int index, MemorySegment target, int count);
}
