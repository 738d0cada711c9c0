// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.util.function.LongPredicate;

/// A view of an [EmbeddedStore]: a schema and the table that its rows are in now.
///
/// Threads: any may read; one writes. Ownership: it holds its table until it is closed.
final class EmbeddedView implements View {
    private final ViewSchema schema;
    private final int id;
    private volatile Table table;

    EmbeddedView(ViewSchema schema, int id, Table table) {
        this.schema = schema;
        this.id = id;
        this.table = table;
    }

    @Override
    public ViewSchema schema() {
        return schema;
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public ViewReader reader() {
        table();
        return new EmbeddedReader(this);
    }

    /// The table that is there now. It may be freed at any time, and then throws.
    @Hot
    Table table() {
        Table now = table;
        if (now == null) {
            throw new IllegalStateException("the store is closed");
        }
        return now;
    }

    /// The table, held. Whoever asked releases it.
    Table held() {
        while (true) {
            Table now = table();
            if (now.hold()) {
                return now;
            }
        }
    }

    /// Makes room for so many more entities. Only the writer may do so; readers move over.
    void reserve(long more) {
        Table now = table();
        long needed = Math.addExact(now.taken(), more);
        if (needed > now.shape().capacity()) {
            replace(Math.max(needed, 2 * now.shape().capacity()), _ -> true);
        }
    }

    /// Throws rows away whose event time is not to stay. Only the writer may do so; readers move
    /// over.
    void retain(LongPredicate stays) {
        replace(table().shape().capacity(), stays);
    }

    private void replace(long capacity, LongPredicate stays) {
        Table old = table();
        table = Tables.rebuild(schema, old, capacity, stays);
        old.release();
    }

    @Override
    public ViewStatistics statistics() {
        Table now = held();
        TableShape shape = now.shape();
        long entities = 0;
        long deleted = 0;
        long oldest = Long.MAX_VALUE;
        long newest = Long.MIN_VALUE;
        try (OffHeapRegion slot = OffHeapRegion.allocate(MemoryTag.STORE, shape.slotBytes())) {
            Row row = new Row(schema, slot.segment(), shape.row());
            for (long i = 0; i < shape.slots(); i++) {
                if (!now.copySlot(i, slot.segment(), 0)) {
                    continue;
                }
                if (row.isDeletion()) {
                    deleted++;
                } else {
                    entities++;
                    oldest = Math.min(oldest, row.eventTime());
                    newest = Math.max(newest, row.eventTime());
                }
            }
        } finally {
            now.release();
        }
        return new ViewStatistics(
                entities,
                deleted,
                shape.capacity(),
                shape.bytes(),
                entities == 0 ? 0 : oldest,
                entities == 0 ? 0 : newest);
    }

    /// Lets go of the table. The writer does not work any more.
    void close() {
        Table last = table;
        table = null;
        if (last != null) {
            last.release();
        }
    }
}
