// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.Row;
import dev.millrace.store.View;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Rows of a store's view as plans want them to lie: what is found is put together anew.
///
/// Threads: one. Memory: the row is on the heap; it owns the store's reader.
final class StoredReader implements ViewReader {
    private static final int BITS = 7;

    private final dev.millrace.store.ViewReader reader;
    private final Row row;
    /// For each of the plan's fields the store's, and its type.
    private final int[] places;

    private final FieldType[] types;
    private final int[] offsets;
    private final int bitmapBytes;
    private final int byteSize;
    private final MemorySegment memory;
    private final byte[] key;
    private final MemorySegment keySegment;

    /// @param places for each of the plan's fields which of the view's it is
    StoredReader(View view, int[] places, ViewLayout layout) {
        this.places = places;
        bitmapBytes = layout.bitmapBytes();
        byteSize = layout.byteSize();
        offsets = new int[places.length];
        types = new FieldType[places.length];
        int bytes = byteSize;
        for (int i = 0; i < places.length; i++) {
            Field field = view.schema().fields().get(places[i]);
            types[i] = field.type();
            offsets[i] = layout.offset(i);
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

    /// Lays the row out that was found.
    @Hot
    private boolean take() {
        for (int at = 0; at < bitmapBytes; at += Long.BYTES) {
            memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, 0L);
        }
        int end = byteSize;
        for (int i = 0; i < places.length; i++) {
            if (row.isNull(places[i])) {
                continue;
            }
            int bits = memory.get(ValueLayout.JAVA_BYTE, i >>> 3) | 1 << (i & BITS);
            memory.set(ValueLayout.JAVA_BYTE, i >>> 3, (byte) bits);
            end = put(i, offsets[i], end);
        }
        return true;
    }

    /// Puts a value; where the texts end then.
    @Hot
    private int put(int field, long at, int end) {
        int place = places[field];
        switch (types[field]) {
            case FLOAT64:
                memory.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, row.getDouble(place));
                return end;
            case FLOAT32:
                memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, row.getFloat(place));
                return end;
            case INT32:
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, row.getInt(place));
                return end;
            case BOOL:
                memory.set(ValueLayout.JAVA_BYTE, at, (byte) (row.getBoolean(place) ? 1 : 0));
                return end;
            case STRING:
                int length = row.stringBytes(place);
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, end);
                memory.set(ValueLayout.JAVA_INT_UNALIGNED, at + Integer.BYTES, length);
                MemorySegment.copy(row.segment(), row.stringOffset(place), memory, end, length);
                return end + length;
            default:
                memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, row.getLong(place));
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
