// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.millrace.feast.FeastRow;

/// Rows that were read: for a while they are used again, and later only while the store cannot be asked. What takes too
/// much memory goes, the least used first.
///
/// Threads: any.
final class RowCache {
    private static final int ENTRY_BYTES = 160;

    private final long ageNanos;
    private final Cache<RowKey, Kept> rows;

    private record Kept(FeastRow row, long readNanos) {}

    RowCache(long ageNanos, long maxBytes) {
        this.ageNanos = ageNanos;
        this.rows = Caffeine.newBuilder()
                .maximumWeight(maxBytes)
                .weigher((RowKey key, Kept kept) ->
                        ENTRY_BYTES + key.bytes().length + kept.row().heapBytes())
                .executor(Runnable::run)
                .build();
    }

    void put(RowKey key, FeastRow row, long now) {
        rows.put(key, new Kept(row, now));
    }

    /// A row that was read not long ago; null if there is none.
    FeastRow fresh(RowKey key, long now) {
        if (ageNanos == 0) {
            return null;
        }
        Kept kept = rows.getIfPresent(key);
        return kept == null || now - kept.readNanos() > ageNanos ? null : kept.row();
    }

    /// A row that was read once; null if there is none.
    FeastRow any(RowKey key) {
        Kept kept = rows.getIfPresent(key);
        return kept == null ? null : kept.row();
    }

    /// What the rows take, about.
    long bytes() {
        return rows.policy()
                .eviction()
                .map(each -> each.weightedSize().orElse(0))
                .orElse(0L);
    }
}
