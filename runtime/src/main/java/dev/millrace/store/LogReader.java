// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Reads a log up to where it ends or was torn.
///
/// A record that is not whole and the last one was never acknowledged, or it was with
/// [Durability#PROCESS] and the machine lost power: there the log ends. One that later records know
/// to have been on the disk is damage.
///
/// Threads: one. Ownership: whoever made it closes it.
final class LogReader implements AutoCloseable {
    private static final int STEP = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long size;
    private OffHeapRegion buffer;
    private long position;
    private long sequence;

    /// Takes records.
    @FunctionalInterface
    interface Sink {
        /// Takes one.
        ///
        /// @param record from its header on; valid until this returns
        void accept(MemorySegment record) throws IOException;
    }

    /// @param sequence the number of the last record before this log
    LogReader(Path file, long sequence) throws IOException {
        this.file = file;
        this.sequence = sequence;
        this.channel = FileChannel.open(file, StandardOpenOption.READ);
        try {
            this.size = channel.size();
            this.buffer = OffHeapRegion.allocate(MemoryTag.STORE, STEP);
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    /// Reads all of it.
    ///
    /// @param isLast whether it may have been torn
    /// @throws CorruptStoreException if it is damaged
    void read(long generation, boolean isLast, Sink sink) throws IOException {
        MemorySegment header = buffer.segment().asSlice(0, LogRecord.FILE_HEADER);
        boolean hasHeader =
                StoreFiles.readFully(channel, header.asByteBuffer(), 0) && LogRecord.isFileHeader(header, generation);
        if (!hasHeader) {
            if (isLast && size <= LogRecord.FILE_HEADER) {
                // The process ended before its first record could be written.
                return;
            }
            throw new CorruptStoreException(file, "it has no header of generation " + generation);
        }
        position = LogRecord.FILE_HEADER;
        MemorySegment record = recordAt(position);
        while (record != null) {
            if (LogRecord.sequence(record) != sequence + 1) {
                throw new CorruptStoreException(
                        file,
                        "record " + LogRecord.sequence(record) + " at byte " + position + " follows record "
                                + sequence);
            }
            sink.accept(record);
            sequence++;
            position += record.byteSize();
            record = recordAt(position);
        }
        if (position < size) {
            requireTorn(isLast);
        }
    }

    private void requireTorn(boolean isLast) throws IOException {
        String damaged = "record " + (sequence + 1) + " at byte " + position + " is damaged, ";
        if (!isLast) {
            throw new CorruptStoreException(file, damaged + "and there are later logs");
        }
        long synced = syncedAfter(position + 1);
        if (synced > sequence) {
            throw new CorruptStoreException(
                    file, damaged + "but records up to " + synced + " had been written to the disk");
        }
    }

    /// What later whole records know to have been on the disk.
    private long syncedAfter(long from) throws IOException {
        long synced = -1;
        for (long at = (from + 7) & -8L; at + LogRecord.HEADER <= size; at += 8) {
            MemorySegment record = recordAt(at);
            if (record != null) {
                synced = Math.max(synced, LogRecord.synced(record));
                at += record.byteSize() - 8;
            }
        }
        return synced;
    }

    /// The whole record that begins there, or null.
    private MemorySegment recordAt(long at) throws IOException {
        MemorySegment header = buffer.segment().asSlice(0, LogRecord.HEADER);
        if (at + LogRecord.HEADER > size || !StoreFiles.readFully(channel, header.asByteBuffer(), at)) {
            return null;
        }
        int length = LogRecord.length(header);
        if (length < 0 || at + LogRecord.HEADER + length > size) {
            return null;
        }
        int needed = LogRecord.HEADER + length;
        if (needed > buffer.byteSize()) {
            OffHeapRegion larger = OffHeapRegion.allocate(MemoryTag.STORE, needed);
            buffer.close();
            buffer = larger;
        }
        MemorySegment record = buffer.segment().asSlice(0, needed);
        boolean isWhole = StoreFiles.readFully(channel, record.asByteBuffer(), at) && LogRecord.isWhole(record, length);
        return isWhole ? record : null;
    }

    /// Where the last whole record ends; 0 if there is not even a header.
    long position() {
        return position;
    }

    /// The number of the last whole record.
    long sequence() {
        return sequence;
    }

    @Override
    public void close() throws IOException {
        buffer.close();
        channel.close();
    }
}
