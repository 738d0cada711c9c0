// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A mapped file of as many bytes as the store's table, of which as many bytes as a row has are
/// copied from random places: what a read takes without a key to look for, a version to compare,
/// and an index.
///
/// Threads: one reads. Ownership: whoever made it closes it.
final class MappedFloor implements AutoCloseable {
    private static final int PLACE = 128;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment mapped;
    private final MemorySegment row;
    private final long places;
    private final long placeBytes;
    private final long rowBytes;

    /// @param bytes of the file
    /// @param rowBytes that are read of a place, which is of two cache lines
    MappedFloor(Path file, long bytes, long rowBytes) throws IOException {
        this.places = bytes / PLACE;
        this.placeBytes = PLACE;
        this.rowBytes = rowBytes;
        this.row = arena.allocate(rowBytes, 64);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer part = ByteBuffer.allocateDirect(1 << 20);
            for (long at = 0; at < places * placeBytes; at += part.capacity()) {
                part.clear().limit((int) Math.min(part.capacity(), places * placeBytes - at));
                for (int i = 0; i + 8 <= part.limit(); i += 8) {
                    part.putLong(i, at + i);
                }
                while (part.hasRemaining()) {
                    channel.write(part, at + part.position());
                }
            }
            // What is not on the disk yet would be written while the store's log is.
            channel.force(true);
            this.mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, places * placeBytes, arena);
        }
        mapped.load();
    }

    /// Copies what lies at the place that a hash says.
    void read(long hash) {
        MemorySegment.copy(mapped, Math.unsignedMultiplyHigh(hash, places) * placeBytes, row, 0, rowBytes);
    }

    /// Whether what was copied is what lies there.
    boolean isRight(long hash) {
        long at = Math.unsignedMultiplyHigh(hash, places) * placeBytes;
        return Long.reverseBytes(row.get(ValueLayout.JAVA_LONG, 0)) == at
                && Long.reverseBytes(row.get(ValueLayout.JAVA_LONG, rowBytes - 8)) == at + rowBytes - 8;
    }

    @Override
    public void close() {
        arena.close();
    }
}
