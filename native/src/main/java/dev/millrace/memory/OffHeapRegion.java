// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/// One block of zeroed native memory, 64-byte aligned, counted under a [MemoryTag] and booked in a [MemoryBudget].
///
/// Threads: any may read and write the segment; ordering is the users' business. Ownership: whoever allocated it closes
/// it, once nothing native works on it any more. Access after close throws, it does not crash.
public final class OffHeapRegion implements AutoCloseable {
    /// Alignment of every region in bytes: one cache line, and what AVX-512 loads want.
    public static final int ALIGNMENT = 64;

    private final MemoryBudget budget;
    private final MemoryTag tag;
    private final Arena arena;
    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    private OffHeapRegion(MemoryBudget budget, MemoryTag tag, long bytes) {
        this.budget = budget;
        this.tag = tag;
        this.arena = Arena.ofShared();
        this.segment = LibC.allocate(bytes, ALIGNMENT, arena);
        NativeMemory.add(tag, bytes);
    }

    /// Allocates `bytes` (at least 1) of zeroed memory under `tag`, without a limit.
    public static OffHeapRegion allocate(MemoryTag tag, long bytes) {
        return allocate(MemoryBudget.UNLIMITED, tag, bytes);
    }

    /// Allocates `bytes` (at least 1) of zeroed memory under `tag`, booked in `budget` until it is closed.
    ///
    /// @throws MemoryExceededException if the budget does not have them
    public static OffHeapRegion allocate(MemoryBudget budget, MemoryTag tag, long bytes) {
        long needed = Math.max(1, bytes);
        budget.reserve(tag, needed);
        try {
            return new OffHeapRegion(budget, tag, needed);
        } catch (RuntimeException | Error e) {
            budget.release(tag, needed);
            throw e;
        }
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
            budget.release(tag, segment.byteSize());
        }
    }
}
