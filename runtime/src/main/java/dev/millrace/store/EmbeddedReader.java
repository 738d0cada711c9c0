// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// Reads rows of an [EmbeddedView]. A table that was freed under it throws; then it looks in the
/// one that took its place.
///
/// Threads: one. Ownership: the memory of its row and of the key that it looks for is its own.
final class EmbeddedReader implements ViewReader {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final EmbeddedView view;
    private final OffHeapRegion memory;
    private final MemorySegment segment;
    private final boolean stringKey;
    private final int longestKey;
    /// Where the key lies; the row is before it.
    private final long keyOffset;

    private final Row row;
    /// What was read for nothing but to have it near, so that the reads are not left out.
    @SuppressWarnings("UnusedVariable")
    private long touched;

    /// The words of the key that lies there; those after them are zeros.
    private int keyWords;

    EmbeddedReader(EmbeddedView view) {
        ViewSchema schema = view.schema();
        this.view = view;
        this.keyOffset = schema.rowBytes();
        this.memory = OffHeapRegion.allocate(MemoryTag.STORE, (long) schema.rowBytes() + schema.keyBytes());
        this.segment = memory.segment();
        this.stringKey = schema.hasStringKey();
        this.longestKey = schema.key().maxBytes();
        this.row = new Row(schema, segment, 0);
    }

    @Override
    @Hot
    public boolean find(long key) {
        if (stringKey) {
            throw new IllegalArgumentException(wrongKey("an integer"));
        }
        while (true) {
            Table table = view.table();
            try {
                return table.read(key, segment, 0);
            } catch (IllegalStateException e) {
                requireMoved(table, e);
            }
        }
    }

    @Override
    @Hot
    public void expect(long key) {
        if (stringKey) {
            return;
        }
        try {
            touched ^= view.table().touch(key);
        } catch (IllegalStateException _) {
            // the table was freed; what looks for the row tells
        }
    }

    @Override
    @Hot
    public boolean find(MemorySegment text, long offset, int length) {
        if (!stringKey) {
            throw new IllegalArgumentException(wrongKey("a string"));
        }
        if (length > longestKey) {
            return false;
        }
        int words = (Integer.BYTES + length + 7) >> 3;
        // Its last word is filled up with zeros.
        segment.set(LONG, keyOffset + ((long) (words - 1) << 3), 0L);
        segment.set(INT, keyOffset, length);
        MemorySegment.copy(text, offset, segment, keyOffset + Integer.BYTES, length);
        keyWords = words;
        return findWords();
    }

    @Hot
    private boolean findWords() {
        while (true) {
            Table table = view.table();
            try {
                return table.read(segment, keyOffset, keyWords, segment, 0);
            } catch (IllegalStateException e) {
                requireMoved(table, e);
            }
        }
    }

    @Override
    public boolean find(String key) {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        return find(MemorySegment.ofArray(text), 0, text.length);
    }

    /// The table was freed under the reader: there is another one, or the store or the reader is
    /// closed.
    private void requireMoved(Table table, IllegalStateException problem) {
        if (view.table() == table) {
            throw problem;
        }
    }

    private String wrongKey(String given) {
        Field key = view.schema().key();
        return "the key '" + key.name() + "' of view '" + view.schema().name() + "' is " + key.typeText() + ", but "
                + given + " was looked for";
    }

    @Override
    @Hot
    public Row row() {
        return row;
    }

    @Override
    public void close() {
        memory.close();
    }
}
