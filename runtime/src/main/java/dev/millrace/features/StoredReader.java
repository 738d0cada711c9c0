// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.Row;
import dev.millrace.store.View;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Rows of a store's view as plans want them to lie: what is found is put together anew.
///
/// Threads: one. Memory: the row is on the heap; it owns the store's reader.
final class StoredReader implements ViewReader {
    private static final int LAST_BIT = Long.SIZE - 1;
    /// Bit i of byte i / 8, whatever the machine's order.
    private static final ValueLayout.OfLong BITS = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final dev.millrace.store.ViewReader reader;
    private final Row row;
    /// For each of the plan's fields the store's, and its type.
    private final int[] places;

    private final FieldType[] types;
    private final int[] offsets;
    private final int[] sources;
    private final int byteSize;
    private final MemorySegment memory;
    private final byte[] key;
    private final MemorySegment keySegment;

    /// @param places for each of the plan's fields which of the view's it is
    StoredReader(View view, int[] places, ViewLayout layout) {
        this.places = places;
        byteSize = layout.byteSize();
        offsets = new int[places.length];
        sources = new int[places.length];
        types = new FieldType[places.length];
        int bytes = byteSize;
        for (int i = 0; i < places.length; i++) {
            Field field = view.schema().fields().get(places[i]);
            types[i] = field.type();
            offsets[i] = layout.offset(i);
            sources[i] = view.schema().offset(places[i]);
            bytes += field.maxBytes();
        }
        memory = MemorySegment.ofArray(new byte[bytes]);
        key = new byte[view.schema().key().maxBytes()];
        keySegment = MemorySegment.ofArray(key);
        reader = view.reader();
        row = reader.row();
    }

    @Override
    @Hot
    public void expect(long wanted) {
        reader.expect(wanted);
    }

    @Override
    @Hot
    public boolean find(long wanted) {
        return reader.find(wanted) && take();
    }

    @Override
    @Hot
    public boolean find(byte[] text, int offset, int length) {
        if (length > key.length) {
            return false;
        }
        System.arraycopy(text, offset, key, 0, length);
        return reader.find(keySegment, 0, length) && take();
    }

    /// Lays the row out that was found. Values are taken as bytes: that their types are the same was
    /// looked at before.
    @Hot
    private boolean take() {
        MemorySegment from = row.segment();
        int end = byteSize;
        long present = 0;
        for (int i = 0; i < places.length; i++) {
            if (!row.isNull(places[i])) {
                present |= 1L << i;
                end = put(i, from, row.offset() + sources[i], end);
            }
            if ((i & LAST_BIT) == LAST_BIT || i == places.length - 1) {
                memory.set(BITS, (long) i / Long.SIZE * Long.BYTES, present);
                present = 0;
            }
        }
        return true;
    }

    /// Puts a value; where the texts end then.
    @Hot
    private int put(int field, MemorySegment from, long source, int end) {
        long at = offsets[field];
        switch (types[field]) {
            case FLOAT32, INT32:
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, from.get(ValueLayout.JAVA_INT_UNALIGNED, source));
                return end;
            case BOOL:
                memory.set(ValueLayout.JAVA_BYTE, at, from.get(ValueLayout.JAVA_BYTE, source));
                return end;
            case STRING:
                int length = row.stringBytes(places[field]);
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, end);
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at + Integer.BYTES, length);
                MemorySegment.copy(from, row.stringOffset(places[field]), memory, end, length);
                return end + length;
            default:
                memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, from.get(ValueLayout.JAVA_LONG_UNALIGNED, source));
                return end;
        }
    }

    @Override
    @Hot
    public MemorySegment memory() {
        return memory;
    }

    @Override
    @Hot
    public long offset() {
        return 0;
    }

    @Override
    @Hot
    public long eventTimeMicros() {
        return row.eventTime();
    }

    @Override
    public void close() {
        reader.close();
    }
}
