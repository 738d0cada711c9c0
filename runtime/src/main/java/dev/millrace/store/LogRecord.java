// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/// The layout of a log: a header with the generation, then records one after the other, each a
/// header and what was written. Threads: any.
final class LogRecord {
    /// Of the file's header.
    static final int FILE_HEADER = 32;
    /// Of a record's header.
    static final int HEADER = 32;
    /// Rows, as a batch has them.
    static final int ROWS = 0;
    /// A view's number in eight bytes, and the event time before which rows were thrown away.
    static final int EXPIRY = 1;
    /// The most bytes after a header: a group of batches may be a little more than one batch.
    static final int MAX_BYTES = 2 * WriteBatch.MAX_BYTES;
    /// What a record begins with.
    static final int MAGIC = 0x4D524C47;

    private static final long FILE_MAGIC = 0x4D524C4F47303031L;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final int LENGTH = 4;
    private static final int SEQUENCE = 8;
    private static final int SYNCED = 16;
    private static final int KIND = 24;
    private static final int CHECKSUM = 28;

    private LogRecord() {}

    static void writeFileHeader(MemorySegment memory, long generation) {
        memory.set(LONG, 0, FILE_MAGIC);
        memory.set(LONG, 8, generation);
        memory.set(LONG, 16, 0);
        memory.set(LONG, 24, checksum(memory, 0, 24));
    }

    static boolean isFileHeader(MemorySegment memory, long generation) {
        return memory.get(LONG, 0) == FILE_MAGIC
                && memory.get(LONG, 8) == generation
                && memory.get(LONG, 24) == checksum(memory, 0, 24);
    }

    /// Fills in a header before `length` bytes that are there.
    ///
    /// @param sequence the number of the record
    /// @param synced the number of the last record that is known to be on the disk
    static void writeHeader(MemorySegment memory, int kind, int length, long sequence, long synced) {
        memory.set(INT, 0, MAGIC);
        memory.set(INT, LENGTH, length);
        memory.set(LONG, SEQUENCE, sequence);
        memory.set(LONG, SYNCED, synced);
        memory.set(INT, KIND, kind);
        memory.set(INT, CHECKSUM, checksum(memory, length));
    }

    /// How many bytes follow, -1 if that cannot be a header.
    static int length(MemorySegment header) {
        int length = header.get(INT, LENGTH);
        boolean possible = header.get(INT, 0) == MAGIC && length >= 0 && length <= MAX_BYTES;
        return possible ? length : -1;
    }

    static boolean isWhole(MemorySegment memory, int length) {
        return memory.get(INT, CHECKSUM) == checksum(memory, length);
    }

    static long sequence(MemorySegment header) {
        return header.get(LONG, SEQUENCE);
    }

    static long synced(MemorySegment header) {
        return header.get(LONG, SYNCED);
    }

    static int kind(MemorySegment header) {
        return header.get(INT, KIND);
    }

    private static int checksum(MemorySegment memory, int length) {
        CRC32C crc = new CRC32C();
        crc.update(memory.asSlice(0, CHECKSUM).asByteBuffer());
        crc.update(memory.asSlice(HEADER, length).asByteBuffer());
        return (int) crc.getValue();
    }

    private static long checksum(MemorySegment memory, long from, long bytes) {
        CRC32C crc = new CRC32C();
        crc.update(memory.asSlice(from, bytes).asByteBuffer());
        return crc.getValue();
    }
}
