// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.concurrent.atomic.AtomicBoolean;

/// A part of a file as memory, copied where it is written to: the file itself never changes.
/// Counted under a [MemoryTag] with all its bytes, whatever part of them is in memory.
///
/// Threads: any may read and write the segment; ordering is the users' business. Ownership: whoever
/// mapped it closes it. Access after close throws, it does not crash; a thread that is in the
/// middle of an access is made to throw, too. The file may be deleted while it is mapped, but must
/// not be shortened.
public final class MappedRegion implements AutoCloseable {
    private final MemoryTag tag;
    private final Arena arena;
    private final MemorySegment segment;
    private final AtomicBoolean closed = new AtomicBoolean();

    private MappedRegion(MemoryTag tag, Arena arena, MemorySegment segment) {
        this.tag = tag;
        this.arena = arena;
        this.segment = segment;
        NativeMemory.add(tag, segment.byteSize());
    }

    /// Maps `bytes` of a file from `offset` on. The channel may be closed afterwards; it has to be
    /// open for reading and writing, although nothing is written.
    ///
    /// @throws IOException if it cannot be mapped
    public static MappedRegion copyOnWrite(MemoryTag tag, FileChannel file, long offset, long bytes)
            throws IOException {
        return map(tag, file, FileChannel.MapMode.PRIVATE, offset, bytes);
    }

    /// Maps `bytes` of a file from `offset` on, to be read only.
    ///
    /// @throws IOException if it cannot be mapped
    public static MappedRegion readOnly(MemoryTag tag, FileChannel file, long offset, long bytes) throws IOException {
        return map(tag, file, FileChannel.MapMode.READ_ONLY, offset, bytes);
    }

    private static MappedRegion map(MemoryTag tag, FileChannel file, FileChannel.MapMode mode, long offset, long bytes)
            throws IOException {
        Arena arena = Arena.ofShared();
        try {
            return new MappedRegion(tag, arena, file.map(mode, offset, bytes, arena));
        } catch (IOException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// The whole region.
    public MemorySegment segment() {
        return segment;
    }

    /// The size in bytes.
    public long byteSize() {
        return segment.byteSize();
    }

    /// Unmaps it; a second call does nothing.
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            arena.close();
            NativeMemory.add(tag, -segment.byteSize());
        }
    }
}
