// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.concurrent.atomic.AtomicLongArray;

/// Accounts for the native memory that this process holds through [OffHeapRegion].
///
/// Threads: any. The counters are exact: a region counts from its allocation until it is closed, once.
public final class NativeMemory {
    private static final AtomicLongArray BYTES = new AtomicLongArray(MemoryTag.values().length);

    private NativeMemory() {}

    /// Bytes now held under `tag`.
    public static long used(MemoryTag tag) {
        return BYTES.get(tag.ordinal());
    }

    /// Bytes now held under all tags.
    public static long used() {
        long sum = 0;
        for (MemoryTag tag : MemoryTag.values()) {
            sum += used(tag);
        }
        return sum;
    }

    static void add(MemoryTag tag, long bytes) {
        BYTES.addAndGet(tag.ordinal(), bytes);
    }
}
