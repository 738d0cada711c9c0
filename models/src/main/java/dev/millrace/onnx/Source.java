// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.lang.foreign.MemorySegment;

/// The bytes of a file, and how much of the heap may be spent on looking at them: as much as it is long, and some for
/// small files. So whatever a file consists of, and whatever it claims, it cannot exhaust the heap.
///
/// Threads: one at a time. Ownership: the bytes are [OnnxFile]'s.
final class Source {
    /// Enough for the graph of any honest model, whose bytes are mostly weights, or beside it.
    static final long FREE_BYTES = 128L << 20;

    private final MemorySegment bytes;
    private long left;

    Source(MemorySegment bytes) {
        this.bytes = bytes;
        this.left = Math.addExact(bytes.byteSize(), FREE_BYTES);
    }

    MemorySegment bytes() {
        return bytes;
    }

    /// Accounts for objects on the heap before they are made.
    void spend(long heapBytes) {
        left -= heapBytes;
        if (left < 0) {
            throw new InvalidModelException("the file has too many parts for its size: to look at its "
                    + bytes.byteSize() + " bytes takes more than " + (bytes.byteSize() + FREE_BYTES)
                    + " bytes of the heap");
        }
    }
}
