// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A place in a chain of blocks, which is read, written and compared like one run of bytes.
///
/// The first bytes of a block are the number of the next one; the first block has a header besides. Threads: one at a
/// time.
final class BlockCursor {
    /// The bytes of one block.
    static final int BLOCK_BYTES = 256;
    /// The bytes of a block's link to the next one.
    static final int LINK_BYTES = 4;

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final MemorySegment blocks;
    private final MemorySegment word = MemorySegment.ofArray(new long[1]);
    private long position;
    private long end;

    /// @param blocks memory of whole blocks; the first has number 1
    BlockCursor(MemorySegment blocks) {
        this.blocks = blocks;
    }

    /// Goes to byte `offset` of a block.
    BlockCursor at(int block, int offset) {
        long start = start(block);
        position = start + offset;
        end = start + BLOCK_BYTES;
        return this;
    }

    static long start(int block) {
        return (block - 1L) * BLOCK_BYTES;
    }

    void put(MemorySegment source, long bytes) {
        for (long done = 0; done < bytes; ) {
            long piece = piece(bytes - done);
            MemorySegment.copy(source, done, blocks, position, piece);
            position += piece;
            done += piece;
        }
    }

    void get(MemorySegment target, long bytes) {
        for (long done = 0; done < bytes; ) {
            long piece = piece(bytes - done);
            MemorySegment.copy(blocks, position, target, done, piece);
            position += piece;
            done += piece;
        }
    }

    /// Whether the next bytes are those of `other`; it goes on behind them only if they are.
    boolean matches(MemorySegment other, long bytes) {
        for (long done = 0; done < bytes; ) {
            long piece = piece(bytes - done);
            if (MemorySegment.mismatch(other, done, done + piece, blocks, position, position + piece) >= 0) {
                return false;
            }
            position += piece;
            done += piece;
        }
        return true;
    }

    void put(byte[] source) {
        for (int done = 0; done < source.length; ) {
            int piece = (int) piece(source.length - done);
            MemorySegment.copy(source, done, blocks, BYTE, position, piece);
            position += piece;
            done += piece;
        }
    }

    byte[] getBytes(int count) {
        byte[] target = new byte[count];
        for (int done = 0; done < count; ) {
            int piece = (int) piece(count - done);
            MemorySegment.copy(blocks, BYTE, position, target, done, piece);
            position += piece;
            done += piece;
        }
        return target;
    }

    boolean matches(byte[] other) {
        return matches(MemorySegment.ofArray(other), other.length);
    }

    void putInt(int value) {
        word.set(INT, 0, value);
        put(word, Integer.BYTES);
    }

    int getInt() {
        get(word, Integer.BYTES);
        return word.get(INT, 0);
    }

    boolean matchesInt(int value) {
        word.set(INT, 0, value);
        return matches(word, Integer.BYTES);
    }

    void putLong(long value) {
        word.set(LONG, 0, value);
        put(word, Long.BYTES);
    }

    long getLong() {
        get(word, Long.BYTES);
        return word.get(LONG, 0);
    }

    boolean matchesLong(long value) {
        word.set(LONG, 0, value);
        return matches(word, Long.BYTES);
    }

    /// How many of `wanted` bytes are in one piece from here on, going on to the next block if this one has ended.
    private long piece(long wanted) {
        if (position == end) {
            at(blocks.get(INT, end - BLOCK_BYTES), LINK_BYTES);
        }
        return Math.min(wanted, end - position);
    }
}
