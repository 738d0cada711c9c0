// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Rows with their keys and views one after the other, as batches and the log have them. Threads:
/// any.
final class Entries {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private Entries() {}

    /// Walks through them.
    ///
    /// @throws IllegalArgumentException if one is not what its view's schema says; nothing was
    ///     handed out before
    static void forEach(MemorySegment memory, long from, long to, List<? extends View> views, WriteBatch.RowSink sink) {
        check(memory, from, to, views);
        for (long at = from; at < to; ) {
            int view = memory.get(INT, at);
            long key = at + WriteBatch.ENTRY_HEADER;
            sink.accept(view, memory, key, key + views.get(view).schema().keyBytes());
            at = key + memory.get(INT, at + Integer.BYTES);
        }
    }

    /// Looks whether all fit their schemas.
    static void check(MemorySegment memory, long from, long to, List<? extends View> views) {
        for (long at = from; at < to; ) {
            int view = to - at < WriteBatch.ENTRY_HEADER ? -1 : memory.get(INT, at);
            if (view < 0 || view >= views.size()) {
                throw new IllegalArgumentException(
                        "the batch has a row of view " + view + ", but the store has " + views.size() + " views");
            }
            ViewSchema schema = views.get(view).schema();
            int expected = schema.keyBytes() + schema.rowBytes();
            int bytes = memory.get(INT, at + Integer.BYTES);
            at += WriteBatch.ENTRY_HEADER + (long) expected;
            if (bytes != expected || at > to) {
                throw new IllegalArgumentException("the batch has a row of " + bytes + " bytes for view '"
                        + schema.name() + "', expected " + expected + ": it was made for another store");
            }
        }
    }
}
