// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/// One block of zeroed native memory, 64-byte aligned, counted under a [MemoryTag].
///
/// Threads: any may read and write the segment; ordering is the users' business. Ownership: whoever allocated it closes
/// it, once nothing native works on it any more. Access after close throws, it does not crash.
public final class OffHeapRegion implements AutoCloseable {
    /// Alignment of every region in bytes: one cache line, and what AVX-512 loads want.
    public static final int ALIGNMENT = 64;

    private final MemoryTag tag;
    private final Arena arena;
    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    private OffHeapRegion(MemoryTag tag, long bytes) {
        this.tag = tag;
        this.arena = Arena.ofShared();
        this.segment = LibC.allocate(bytes, ALIGNMENT, arena);
        NativeMemory.add(tag, bytes);
    }

    /// Allocates `bytes` (at least 1) of zeroed memory under `tag`.
    public static OffHeapRegion allocate(MemoryTag tag, long bytes) {
        return new OffHeapRegion(tag, Math.max(1, bytes));
    }

    /// The whole region.
    public MemorySegment segment() {
        return segment;
    }

    /// The address of the first byte.
    @Hot
    public long address() {
        return segment.address();
    }

    /// The size in bytes.
    public long byteSize() {
        return segment.byteSize();
    }

    /// Frees the memory; a second call does nothing.
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            arena.close();
            NativeMemory.add(tag, -segment.byteSize());
        }
    }
}
