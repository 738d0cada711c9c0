// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// The log that is written. A record that could not be written is cut off again.
///
/// A channel is closed when a thread that works on it is interrupted. Others have nothing to do
/// with that, so it is opened again, and the thread told at the end.
///
/// Threads: one at a time. Ownership: whoever opened it closes it.
final class WriteAheadLog implements AutoCloseable {
    private static final int LEAST_BUFFER = 1 << 16;
    /// A buffer that is larger is given back after use.
    private static final int KEPT_BUFFER = 1 << 22;

    private final Path file;
    private final long generation;
    private FileChannel channel;
    private OffHeapRegion buffer = OffHeapRegion.allocate(MemoryTag.STORE, LEAST_BUFFER);
    private long position;
    private long sequence;
    private long synced;

    private WriteAheadLog(Path file, FileChannel channel, long generation, long position, long sequence) {
        this.file = file;
        this.channel = channel;
        this.generation = generation;
        this.position = position;
        this.sequence = sequence;
        this.synced = sequence;
    }

    /// Begins a log, which is on the disk when this returns but for its name.
    ///
    /// @param sequence the number of the last record before it
    static WriteAheadLog create(Path file, long generation, long sequence) throws IOException {
        FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        WriteAheadLog log = new WriteAheadLog(file, channel, generation, 0, sequence);
        try {
            MemorySegment header = log.buffer.segment().asSlice(0, LogRecord.FILE_HEADER);
            LogRecord.writeFileHeader(header, generation);
            StoreFiles.writeFully(channel, header.asByteBuffer(), 0);
            channel.force(true);
            log.position = LogRecord.FILE_HEADER;
            return log;
        } catch (IOException | RuntimeException | Error e) {
            log.close();
            throw e;
        }
    }

    /// Goes on with a log after its last whole record; what follows it is cut off.
    static WriteAheadLog resume(Path file, long generation, long position, long sequence) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        WriteAheadLog log = new WriteAheadLog(file, channel, generation, position, sequence);
        try {
            channel.truncate(position);
            channel.force(true);
            return log;
        } catch (IOException | RuntimeException | Error e) {
            log.close();
            throw e;
        }
    }

    /// Appends batches as one record.
    ///
    /// @return its number
    long append(List<WriteBatch> batches) throws IOException {
        int length = batches.stream().mapToInt(WriteBatch::bytes).sum();
        MemorySegment record = record(length);
        long at = LogRecord.HEADER;
        for (WriteBatch batch : batches) {
            MemorySegment.copy(batch.memory(), 0, record, at, batch.bytes());
            at += batch.bytes();
        }
        return write(LogRecord.ROWS, record, length);
    }

    /// Appends that rows of a view were thrown away.
    long appendExpiry(int view, long before) throws IOException {
        MemorySegment record = record(2 * Long.BYTES);
        record.set(ValueLayout.JAVA_LONG, LogRecord.HEADER, view);
        record.set(ValueLayout.JAVA_LONG, LogRecord.HEADER + (long) Long.BYTES, before);
        return write(LogRecord.EXPIRY, record, 2 * Long.BYTES);
    }

    private MemorySegment record(int length) {
        int needed = LogRecord.HEADER + length;
        if (needed > buffer.byteSize()) {
            OffHeapRegion larger =
                    OffHeapRegion.allocate(MemoryTag.STORE, Math.max(needed, Integer.highestOneBit(needed) * 2L));
            buffer.close();
            buffer = larger;
        }
        return buffer.segment().asSlice(0, needed);
    }

    private long write(int kind, MemorySegment record, int length) throws IOException {
        LogRecord.writeHeader(record, kind, length, sequence + 1, synced);
        try {
            uninterrupted(() -> StoreFiles.writeFully(channel, record.asByteBuffer(), position));
        } catch (IOException e) {
            uninterrupted(() -> channel.truncate(position));
            throw e;
        }
        position += record.byteSize();
        sequence++;
        if (buffer.byteSize() > KEPT_BUFFER) {
            buffer.close();
            buffer = OffHeapRegion.allocate(MemoryTag.STORE, LEAST_BUFFER);
        }
        return sequence;
    }

    /// Waits until all of it is on the disk.
    void force() throws IOException {
        uninterrupted(() -> channel.force(false));
        synced = sequence;
    }

    /// What is done to the file.
    private interface Access {
        void run() throws IOException;
    }

    private void uninterrupted(Access access) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    access.run();
                    return;
                } catch (ClosedByInterruptException _) {
                    interrupted = Thread.interrupted();
                    channel = FileChannel.open(file, StandardOpenOption.WRITE);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    long generation() {
        return generation;
    }

    /// The number of the last record.
    long sequence() {
        return sequence;
    }

    /// How many bytes it has.
    long bytes() {
        return position;
    }

    @Override
    public void close() throws IOException {
        buffer.close();
        channel.close();
    }
}
