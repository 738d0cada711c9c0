// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.MappedRegion;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/// A table in a file: a header with its shape and schema, its slots as they lie in memory, a
/// checksum for each part of about a mebibyte. It is written once and never changed; a table that
/// is opened from it is the file, mapped.
///
/// Threads: one.
final class Snapshot {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final long MAGIC = 0x4D52524F57533031L;
    private static final int PAGE = 4096;
    private static final int PART = 1 << 20;
    private static final int SLOTS = 8;
    private static final int SEED = 16;
    private static final int TAKEN = 24;
    private static final int KEY_BYTES = 32;
    private static final int ROW_BYTES = 36;
    private static final int TEXT_BYTES = 40;
    private static final int TEXT = 48;

    private final TableShape shape;
    private final String schema;

    private Snapshot(TableShape shape, String schema) {
        this.shape = shape;
        this.schema = schema;
    }

    /// Writes a table, which may change meanwhile: each row is in the file as it was at some
    /// moment. When this returns it is on the disk, but for its name.
    static void write(Path file, ViewSchema schema, Table table) throws IOException {
        Snapshot snapshot = new Snapshot(table.shape(), schema.text());
        try (FileChannel channel = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                OffHeapRegion part = OffHeapRegion.allocate(MemoryTag.STORE, snapshot.partBytes())) {
            snapshot.write(channel, table, part.segment());
        }
    }

    private void write(FileChannel channel, Table table, MemorySegment part) throws IOException {
        ByteBuffer checksums = ByteBuffer.allocate(trailerBytes());
        int slotBytes = shape.slotBytes();
        long taken = 0;
        long at = headerBytes();
        for (long slot = 0; slot < shape.slots(); ) {
            int length = 0;
            for (; length < part.byteSize() && slot < shape.slots(); length += slotBytes) {
                taken += table.copySlot(slot++, part, length) ? 1 : 0;
            }
            MemorySegment filled = part.asSlice(0, length);
            checksums.putInt(checksum(filled));
            StoreFiles.writeFully(channel, filled.asByteBuffer(), at);
            at += length;
            // In small portions, so that what the log writes meanwhile does not wait behind all of it.
            channel.force(false);
        }
        checksums.putInt(checksum(MemorySegment.ofArray(checksums.array()).asSlice(0, checksums.position())));
        StoreFiles.writeFully(channel, checksums.flip(), at);
        StoreFiles.writeFully(channel, ByteBuffer.wrap(header(taken)), 0);
        channel.force(true);
    }

    private byte[] header(long taken) {
        byte[] header = new byte[headerBytes()];
        MemorySegment memory = MemorySegment.ofArray(header);
        byte[] text = schema.getBytes(StandardCharsets.UTF_8);
        memory.set(LONG, 0, MAGIC);
        memory.set(LONG, SLOTS, shape.slots());
        memory.set(LONG, SEED, shape.seed());
        memory.set(LONG, TAKEN, taken);
        memory.set(INT, KEY_BYTES, shape.keyBytes());
        memory.set(INT, ROW_BYTES, shape.rowBytes());
        memory.set(INT, TEXT_BYTES, text.length);
        System.arraycopy(text, 0, header, TEXT, text.length);
        long end = header.length - (long) Integer.BYTES;
        memory.set(INT, end, checksum(memory.asSlice(0, end)));
        return header;
    }

    /// Maps a snapshot as a table, after all of it was checked. Whoever asked releases it. What is
    /// written to the table does not get into the file.
    ///
    /// @throws CorruptStoreException if it is damaged, or of another schema
    static Table open(Path file, ViewSchema schema) throws IOException {
        // A mapping that is copied where it is written to wants a channel for writing.
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            String text = schema.text();
            Snapshot expected = new Snapshot(TableShape.of(schema, 1, 0), text);
            byte[] header = new byte[expected.headerBytes()];
            boolean isWhole = StoreFiles.readFully(channel, ByteBuffer.wrap(header), 0);
            MemorySegment memory = MemorySegment.ofArray(header);
            long end = header.length - (long) Integer.BYTES;
            if (!isWhole || memory.get(LONG, 0) != MAGIC || memory.get(INT, end) != checksum(memory.asSlice(0, end))) {
                throw new CorruptStoreException(file, "its header is damaged, or of another schema");
            }
            String found = new String(header, TEXT, memory.get(INT, TEXT_BYTES), StandardCharsets.UTF_8);
            if (!found.equals(text)) {
                throw new CorruptStoreException(file, "it is of the schema\n" + found + "expected\n" + text);
            }
            TableShape shape = new TableShape(
                    memory.get(INT, KEY_BYTES),
                    memory.get(INT, ROW_BYTES),
                    memory.get(LONG, SLOTS),
                    memory.get(LONG, SEED));
            return new Snapshot(shape, text).map(file, channel, memory.get(LONG, TAKEN));
        }
    }

    private Table map(Path file, FileChannel channel, long taken) throws IOException {
        long slots = headerBytes();
        long size = slots + shape.bytes() + trailerBytes();
        if (channel.size() != size) {
            throw new CorruptStoreException(file, "it has " + channel.size() + " bytes, expected " + size);
        }
        ByteBuffer checksums = ByteBuffer.allocate(trailerBytes());
        StoreFiles.readFully(channel, checksums, slots + shape.bytes());
        checksums.flip();
        MappedRegion region = MappedRegion.copyOnWrite(MemoryTag.STORE, channel, slots, shape.bytes());
        try {
            for (long at = 0; at < shape.bytes(); at += partBytes()) {
                long length = Math.min(partBytes(), shape.bytes() - at);
                if (checksum(region.segment().asSlice(at, length)) != checksums.getInt()) {
                    throw new CorruptStoreException(
                            file, "the " + length + " bytes from " + (slots + at) + " on are damaged");
                }
            }
            return new Table(shape, region.segment(), taken, region::close);
        } catch (IOException | RuntimeException | Error e) {
            region.close();
            throw e;
        }
    }

    private int headerBytes() {
        int needed = TEXT + schema.getBytes(StandardCharsets.UTF_8).length + Integer.BYTES;
        return Math.ceilDiv(needed, PAGE) * PAGE;
    }

    private int partBytes() {
        return Math.max(1, PART / shape.slotBytes()) * shape.slotBytes();
    }

    private int trailerBytes() {
        return Math.toIntExact((Math.ceilDiv(shape.bytes(), partBytes()) + 1) * Integer.BYTES);
    }

    private static int checksum(MemorySegment memory) {
        CRC32C crc = new CRC32C();
        crc.update(memory.asByteBuffer());
        return (int) crc.getValue();
    }
}
