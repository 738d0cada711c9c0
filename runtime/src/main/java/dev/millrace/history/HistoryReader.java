// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.features.ViewReader;
import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;

/// Finds what a history knew of an entity at the moment of a [PointInTime]; rows are shown where they
/// lie.
///
/// Threads: one.
final class HistoryReader implements ViewReader {
    private final PointInTime moment;
    private final KeyIndex keys;
    private final HistoryIndex index;
    private final RowMemory rows;
    private int row;

    HistoryReader(PointInTime moment, KeyIndex keys, HistoryIndex index, RowMemory rows) {
        this.moment = moment;
        this.keys = keys;
        this.index = index;
        this.rows = rows;
    }

    @Override
    @Hot
    public boolean find(long key) {
        return take(keys.find(key));
    }

    @Override
    @Hot
    public boolean find(byte[] key, int offset, int length) {
        return take(keys.find(key, offset, length));
    }

    @Hot
    private boolean take(int entity) {
        row = entity < 0 ? -1 : index.find(entity, moment.micros());
        return row >= 0;
    }

    @Override
    @Hot
    public MemorySegment memory() {
        return rows.block(index.place(row));
    }

    @Override
    @Hot
    public long offset() {
        return RowMemory.offset(index.place(row));
    }

    @Override
    @Hot
    public long eventTimeMicros() {
        return index.event(row);
    }
}
