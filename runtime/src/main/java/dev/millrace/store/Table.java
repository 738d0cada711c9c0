// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;

/// A hash table of rows in one piece of memory, with open addressing: a row lies in the slot that
/// its key hashes to or in one of the next, so that most reads touch one place in memory.
///
/// A slot's version is 0 while it is empty, odd while its row is written, and even otherwise. A
/// key, once there, stays in its slot for as long as the table lives, also when its entity is
/// deleted. So keys are compared without looking at versions, and a row that was copied while the
/// version stayed the same and even is whole.
///
/// Threads: one writes, any read. Ownership: those who hold it; the last to release it frees the
/// memory, and readers that are still in it throw `IllegalStateException`.
final class Table {
    /// Looks at a version that is odd before the thread gives its processor to others: the writer
    /// may wait for it.
    private static final int SPINS = 200;

    private static final VarHandle VERSION = ValueLayout.JAVA_LONG.varHandle();
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt ANY_INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong ANY_LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final TableShape shape;
    private final MemorySegment memory;
    private final Runnable free;
    private final long bytes;
    private final long slots;
    private final long seed;
    private final int slotBytes;
    private final int row;
    private final int rowBytes;
    private final int keyWords;
    private final AtomicInteger holders = new AtomicInteger(1);
    private long taken;

    /// @param memory aligned to 64 bytes, zeros or what a table left
    /// @param taken slots that have keys
    /// @param free frees the memory
    Table(TableShape shape, MemorySegment memory, long taken, Runnable free) {
        this.shape = shape;
        this.memory = memory;
        this.free = free;
        this.taken = taken;
        this.bytes = shape.bytes();
        this.slots = shape.slots();
        this.seed = shape.seed();
        this.slotBytes = shape.slotBytes();
        this.row = shape.row();
        this.rowBytes = shape.rowBytes();
        this.keyWords = shape.keyBytes() / Long.BYTES;
    }

    TableShape shape() {
        return shape;
    }

    /// Slots that have keys. Only the writer may ask.
    long taken() {
        return taken;
    }

    /// Copies the row of an integer key.
    ///
    /// @return false if there is none, or it was deleted
    @Hot
    boolean read(long key, MemorySegment target, long offset) {
        long slot = slotOf(mix(key ^ seed));
        while ((long) VERSION.getAcquire(memory, slot) != 0) {
            if (memory.get(LONG, slot + TableShape.KEY) == key) {
                copyRow(slot, target, offset);
                return (target.get(ANY_LONG, offset + ViewSchema.BITMAP) & 1) == 0;
            }
            slot = next(slot);
        }
        return false;
    }

    /// Reads the ends of the place where the row of an integer key is most likely, without waiting
    /// for them.
    @Hot
    long touch(long key) {
        long slot = slotOf(mix(key ^ seed));
        return memory.get(LONG, slot) ^ memory.get(LONG, slot + slotBytes - Long.BYTES);
    }

    /// Copies the row of a key as a table has it: a string's length, its text and zeros.
    ///
    /// @param words of the key that are looked at: those that are not all zeros by its length
    /// @return as for an integer key
    @Hot
    boolean read(MemorySegment keys, long key, int words, MemorySegment target, long offset) {
        long slot = locate(keys, key, words);
        if (slot < 0) {
            return false;
        }
        copyRow(slot, target, offset);
        return (target.get(ANY_LONG, offset + ViewSchema.BITMAP) & 1) == 0;
    }

    /// The slot of a key, or, if it has none, -1 - the slot that it would get.
    @Hot
    private long locate(MemorySegment keys, long key, int words) {
        long slot = slotOf(hash(keys, key, words));
        while ((long) VERSION.getAcquire(memory, slot) != 0) {
            if (matches(slot + TableShape.KEY, keys, key, words)) {
                return slot;
            }
            slot = next(slot);
        }
        return -1 - slot;
    }

    @Hot
    private boolean matches(long mine, MemorySegment keys, long key, int words) {
        for (long at = 0; at < (long) words * Long.BYTES; at += Long.BYTES) {
            if (memory.get(LONG, mine + at) != keys.get(ANY_LONG, key + at)) {
                return false;
            }
        }
        return true;
    }

    @Hot
    private long hash(MemorySegment keys, long key, int words) {
        long hash = seed;
        for (long at = 0; at < (long) words * Long.BYTES; at += Long.BYTES) {
            hash = mix(hash ^ keys.get(ANY_LONG, key + at));
        }
        return hash;
    }

    /// A bijection after which every bit depends on every other.
    @Hot
    private static long mix(long value) {
        long mixed = (value ^ (value >>> 32)) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 29)) * 0xBF58476D1CE4E5B9L;
        return mixed ^ (mixed >>> 32);
    }

    @Hot
    private long slotOf(long hash) {
        return Math.unsignedMultiplyHigh(hash, slots) * slotBytes;
    }

    @Hot
    private long next(long slot) {
        long following = slot + slotBytes;
        return following == bytes ? 0 : following;
    }

    @Hot
    private void copyRow(long slot, MemorySegment target, long offset) {
        for (int looks = 1; ; looks++) {
            long version = (long) VERSION.getAcquire(memory, slot);
            if ((version & 1) == 0) {
                MemorySegment.copy(memory, slot + row, target, offset, rowBytes);
                VarHandle.acquireFence();
                if ((long) VERSION.getOpaque(memory, slot) == version) {
                    return;
                }
            }
            if (looks % SPINS == 0) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    /// The words of a key that are looked at.
    private int words(MemorySegment keys, long key) {
        return keyWords == 1 ? 1 : (Integer.BYTES + keys.get(ANY_INT, key) + 7) >> 3;
    }

    /// Whether a key has a slot. Only the writer may ask.
    boolean has(MemorySegment keys, long key) {
        return locate(keys, key, words(keys, key)) >= 0;
    }

    /// Puts a row, unless its key has a newer one. Only the writer may do so, and only while there
    /// is room.
    ///
    /// @param keys what the key, as a table has it, and the row are in
    /// @return whether it is there now
    boolean put(MemorySegment keys, long key, long newRow) {
        long slot = locate(keys, key, words(keys, key));
        if (slot >= 0) {
            if (isNewer(slot + row, keys, newRow)) {
                return false;
            }
            long version = memory.get(LONG, slot);
            VERSION.setOpaque(memory, slot, version + 1);
            // No reader may see a part of the row with the version before it.
            VarHandle.releaseFence();
            MemorySegment.copy(keys, newRow, memory, slot + row, rowBytes);
            VERSION.setRelease(memory, slot, version + 2);
            return true;
        }
        if (taken == shape.capacity()) {
            throw new IllegalStateException("the table is full: " + taken + " entities");
        }
        slot = -1 - slot;
        MemorySegment.copy(keys, key, memory, slot + TableShape.KEY, shape.keyBytes());
        MemorySegment.copy(keys, newRow, memory, slot + row, rowBytes);
        VERSION.setRelease(memory, slot, 2L);
        taken++;
        return true;
    }

    private boolean isNewer(long stored, MemorySegment keys, long newRow) {
        long event = memory.get(LONG, stored + ViewSchema.EVENT_TIME);
        long newEvent = keys.get(ANY_LONG, newRow + ViewSchema.EVENT_TIME);
        if (event != newEvent) {
            return event > newEvent;
        }
        return memory.get(LONG, stored + ViewSchema.AVAILABILITY_TIME)
                > keys.get(ANY_LONG, newRow + ViewSchema.AVAILABILITY_TIME);
    }

    /// Copies a slot, its row whole: version 2, key and row, or zeros if it is empty.
    ///
    /// @param slot its number
    /// @return whether it has a key
    boolean copySlot(long slot, MemorySegment target, long offset) {
        long from = slot * slotBytes;
        if ((long) VERSION.getAcquire(memory, from) == 0) {
            target.asSlice(offset, slotBytes).fill((byte) 0);
            return false;
        }
        copyRow(from, target, offset + row);
        MemorySegment.copy(memory, from + TableShape.KEY, target, offset + TableShape.KEY, shape.keyBytes());
        target.set(ANY_LONG, offset, 2);
        return true;
    }

    /// Holds it, so that it is not freed.
    ///
    /// @return false if it was freed already
    boolean hold() {
        int count;
        do {
            count = holders.get();
            if (count == 0) {
                return false;
            }
        } while (!holders.compareAndSet(count, count + 1));
        return true;
    }

    /// Releases it; the last to do so frees it.
    void release() {
        if (holders.decrementAndGet() == 0) {
            free.run();
        }
    }
}
