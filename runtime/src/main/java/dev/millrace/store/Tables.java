// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.util.function.LongPredicate;

/// Makes tables in memory. Threads: any.
final class Tables {
    private Tables() {}

    /// An empty one. Whoever asked releases it.
    static Table allocate(TableShape shape) {
        OffHeapRegion memory = OffHeapRegion.allocate(MemoryTag.STORE, shape.bytes());
        return new Table(shape, memory.segment(), 0, memory::close);
    }

    /// One for more entities, with the rows of another that no writer works on.
    ///
    /// @param schema of both
    /// @param stays whether a row of that event time is copied; deletions are asked for, too
    static Table rebuild(ViewSchema schema, Table old, long capacity, LongPredicate stays) {
        TableShape shape = old.shape();
        Table table = allocate(TableShape.of(schema, capacity, shape.seed()));
        try (OffHeapRegion slot = OffHeapRegion.allocate(MemoryTag.STORE, shape.slotBytes())) {
            for (long i = 0; i < shape.slots(); i++) {
                if (old.copySlot(i, slot.segment(), 0)
                        && stays.test(new Row(schema, slot.segment(), shape.row()).eventTime())) {
                    table.put(slot.segment(), TableShape.KEY, shape.row());
                }
            }
            return table;
        } catch (RuntimeException | Error e) {
            table.release();
            throw e;
        }
    }
}
