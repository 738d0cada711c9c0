// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Rows of bytes outside of the heap, one after the other in blocks that never move. A row's place
/// is its block's number in the upper half of a long and its offset there in the lower.
///
/// Threads: one adds; any may read what was added before it was told of it. Ownership: whoever made
/// it closes it.
final class RowMemory implements AutoCloseable {
    private static final int FIRST_BLOCK = 1 << 14;
    private static final int MOST_BLOCK = 1 << 24;

    private final List<OffHeapRegion> regions = new ArrayList<>();
    private MemorySegment[] blocks = {};
    private int used;

    /// Copies a row in.
    ///
    /// @param length in bytes, a multiple of 8
    /// @return its place
    long add(MemorySegment row, int length) {
        if (blocks.length == 0 || length > blocks[blocks.length - 1].byteSize() - used) {
            grow(length);
        }
        int block = blocks.length - 1;
        MemorySegment.copy(row, 0, blocks[block], used, length);
        long place = (long) block << 32 | used;
        used += length;
        return place;
    }

    private void grow(int needed) {
        int next = (int) Math.min((long) FIRST_BLOCK << Math.min(blocks.length, 16), MOST_BLOCK);
        regions.add(OffHeapRegion.allocate(MemoryTag.STORE, Math.max(next, needed)));
        blocks = regions.stream().map(OffHeapRegion::segment).toArray(MemorySegment[]::new);
        used = 0;
    }

    /// The block that a place is in.
    @Hot
    MemorySegment block(long place) {
        return blocks[(int) (place >>> 32)];
    }

    /// Where in its block a place is.
    @Hot
    static long offset(long place) {
        return place & 0xffff_ffffL;
    }

    /// How many bytes were allocated.
    long bytes() {
        return regions.stream().mapToLong(OffHeapRegion::byteSize).sum();
    }

    @Override
    public void close() {
        regions.forEach(OffHeapRegion::close);
    }
}
