// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A part of the cache, with a lock and memory of its own. Everything that it knows of its entries is in that memory,
/// so that it never takes more.
///
/// An entry is a chain of blocks: a header, then inputs and outputs as [Encoding] has them. There is one at most for
/// an owner and a hash. Entries are in the chains of a hash table and in a list by when they were last asked for; those
/// at the end of the list make room.
///
/// Threads: any. Blocks are counted from 1; 0 is none.
final class Stripe {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private static final int NEXT_BLOCK = 0;
    private static final int NEXT_IN_BUCKET = 4;
    private static final int OLDER = 8;
    private static final int NEWER = 12;
    private static final int HASH = 16;
    private static final int OWNER = 24;
    private static final int COUNT = 28;
    private static final int HEADER_BYTES = 32;

    private static final int FIRST_PAYLOAD = BlockCursor.BLOCK_BYTES - HEADER_BYTES;
    private static final int PAYLOAD = BlockCursor.BLOCK_BYTES - BlockCursor.LINK_BYTES;

    private final MemorySegment table;
    private final int mask;
    private final MemorySegment blocks;
    private final int blockCount;
    private final BlockCursor cursor;
    private final Encoding encoding;

    /// Blocks from this one on were never used.
    private int unused = 1;
    /// The first of those that were used and are free.
    private int free;
    private int usedBlocks;
    private int newest;
    private int oldest;
    private long entries;
    private long evictions;
    private boolean closed;

    /// @param memory zeroed
    Stripe(MemorySegment memory) {
        long each = BlockCursor.BLOCK_BYTES + Integer.BYTES;
        int buckets = Integer.highestOneBit(Math.clamp(memory.byteSize() / each, 1, 1 << 28));
        long tableBytes = (long) buckets * Integer.BYTES;
        mask = buckets - 1;
        blockCount = Math.clamp((memory.byteSize() - tableBytes) / BlockCursor.BLOCK_BYTES, 0, 1 << 30);
        table = memory.asSlice(0, tableBytes);
        blocks = memory.asSlice(tableBytes, (long) blockCount * BlockCursor.BLOCK_BYTES);
        cursor = new BlockCursor(blocks);
        encoding = new Encoding(cursor);
    }

    /// Gives the outputs that are kept for the inputs; false if there are none.
    ///
    /// @throws dev.millrace.memory.MemoryExceededException if there is no memory for them in the tensors
    synchronized boolean find(int owner, long hash, TensorSet tensors) {
        int entry = closed ? 0 : entry(owner, hash);
        if (entry == 0) {
            return false;
        }
        cursor.at(entry, HEADER_BYTES);
        if (!encoding.matchesInputs(tensors.inputs())) {
            return false;
        }
        encoding.getOutputs(tensors.outputs());
        if (entry != newest) {
            unlist(entry);
            list(entry);
        }
        return true;
    }

    /// Keeps outputs for inputs, if they are not too large, in the place of others with the same hash. What was kept
    /// for the same inputs stays.
    synchronized void put(CacheShare owner, long hash, TensorSet tensors) {
        if (closed || owner.isClosed()) {
            return;
        }
        int before = entry(owner.number(), hash);
        if (before != 0) {
            cursor.at(before, HEADER_BYTES);
            if (encoding.matchesInputs(tensors.inputs())) {
                return;
            }
        }
        Tensor[] inputs = tensors.inputs();
        Tensor[] outputs = tensors.outputs();
        long needed = blocks(Encoding.inputBytes(inputs) + Encoding.outputBytes(outputs));
        if (needed > blockCount) {
            return;
        }
        if (before != 0) {
            remove(before);
        }
        while (blockCount - usedBlocks < needed) {
            remove(oldest);
            evictions++;
        }
        int entry = take((int) needed);
        setLong(entry, HASH, hash);
        set(entry, OWNER, owner.number());
        set(entry, COUNT, (int) needed);
        cursor.at(entry, HEADER_BYTES);
        encoding.putInputs(inputs);
        encoding.putOutputs(outputs);
        int bucket = bucket(hash);
        set(entry, NEXT_IN_BUCKET, table.getAtIndex(INT, bucket));
        table.setAtIndex(INT, bucket, entry);
        list(entry);
        entries++;
    }

    private static long blocks(long bytes) {
        return 1 + Math.ceilDiv(Math.max(0, bytes - FIRST_PAYLOAD), PAYLOAD);
    }

    /// Forgets all that is kept for an owner.
    synchronized void forget(int owner) {
        int entry = closed ? 0 : newest;
        while (entry != 0) {
            int next = get(entry, OLDER);
            if (get(entry, OWNER) == owner) {
                remove(entry);
            }
            entry = next;
        }
    }

    /// From now on nothing touches the memory.
    synchronized void close() {
        closed = true;
        usedBlocks = 0;
        entries = 0;
    }

    synchronized long usedBytes() {
        return (long) usedBlocks * BlockCursor.BLOCK_BYTES;
    }

    synchronized long entries() {
        return entries;
    }

    synchronized long evictions() {
        return evictions;
    }

    private int bucket(long hash) {
        return (int) (hash >>> 32) & mask;
    }

    private int entry(int owner, long hash) {
        int entry = table.getAtIndex(INT, bucket(hash));
        while (entry != 0 && !(getLong(entry, HASH) == hash && get(entry, OWNER) == owner)) {
            entry = get(entry, NEXT_IN_BUCKET);
        }
        return entry;
    }

    /// A chain of free blocks.
    private int take(int count) {
        int first = 0;
        for (int i = 0; i < count; i++) {
            int block = free;
            if (block == 0) {
                block = unused++;
            } else {
                free = get(block, NEXT_BLOCK);
            }
            set(block, NEXT_BLOCK, first);
            first = block;
        }
        usedBlocks += count;
        return first;
    }

    private void remove(int entry) {
        unlist(entry);
        int bucket = bucket(getLong(entry, HASH));
        int before = 0;
        int at = table.getAtIndex(INT, bucket);
        while (at != entry) {
            before = at;
            at = get(at, NEXT_IN_BUCKET);
        }
        int after = get(entry, NEXT_IN_BUCKET);
        if (before == 0) {
            table.setAtIndex(INT, bucket, after);
        } else {
            set(before, NEXT_IN_BUCKET, after);
        }
        usedBlocks -= get(entry, COUNT);
        entries--;
        for (int block = entry; block != 0; ) {
            int next = get(block, NEXT_BLOCK);
            set(block, NEXT_BLOCK, free);
            free = block;
            block = next;
        }
    }

    /// Puts an entry at the front of the list.
    private void list(int entry) {
        set(entry, NEWER, 0);
        set(entry, OLDER, newest);
        if (newest == 0) {
            oldest = entry;
        } else {
            set(newest, NEWER, entry);
        }
        newest = entry;
    }

    private void unlist(int entry) {
        int newer = get(entry, NEWER);
        int older = get(entry, OLDER);
        if (newer == 0) {
            newest = older;
        } else {
            set(newer, OLDER, older);
        }
        if (older == 0) {
            oldest = newer;
        } else {
            set(older, NEWER, newer);
        }
    }

    private int get(int block, int field) {
        return blocks.get(INT, BlockCursor.start(block) + field);
    }

    private void set(int block, int field, int value) {
        blocks.set(INT, BlockCursor.start(block) + field, value);
    }

    private long getLong(int block, int field) {
        return blocks.get(LONG, BlockCursor.start(block) + field);
    }

    private void setLong(int block, int field, long value) {
        blocks.set(LONG, BlockCursor.start(block) + field, value);
    }
}
