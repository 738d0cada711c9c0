// SPDX-License-Identifier: Apache-2.0
package dev.millrace.remote;

import dev.millrace.features.ViewReader;
import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Reads rows of a view that were fetched. Whoever is looked for without having been wanted is unavailable.
///
/// Threads: one. It allocates: what it reads was far away.
public final class FetchedReader implements ViewReader {
    private Map<Object, FetchedRow> rows = Map.of();
    private FetchedRow row = FetchedRow.UNAVAILABLE;

    /// Reads from these from now on.
    public void take(FetchedView view) {
        rows = view.rows();
        row = FetchedRow.UNAVAILABLE;
    }

    @Override
    @Hot
    public boolean find(long key) {
        return lookFor(key);
    }

    @Override
    @Hot
    public boolean find(byte[] key, int offset, int length) {
        return lookFor(key, offset, length);
    }

    private boolean lookFor(long key) {
        return look(key);
    }

    private boolean lookFor(byte[] key, int offset, int length) {
        return look(new String(key, offset, length, StandardCharsets.UTF_8));
    }

    private boolean look(Object key) {
        row = rows.getOrDefault(key, FetchedRow.UNAVAILABLE);
        return row.memory() != null;
    }

    @Override
    @Hot
    public boolean isUnavailable() {
        return row.isUnavailable();
    }

    @Override
    @Hot
    public MemorySegment memory() {
        return row.memory();
    }

    @Override
    @Hot
    public long offset() {
        return 0;
    }

    @Override
    @Hot
    public long eventTimeMicros() {
        return row.eventTimeMicros();
    }
}
