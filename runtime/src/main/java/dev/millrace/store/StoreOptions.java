// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.util.Objects;

/// How an [EmbeddedStore] works. Threads: immutable, any.
///
/// @param durability what an acknowledged batch outlasts
/// @param capacity for how many entities a new view has room before it grows, at least 1
/// @param logBytes the size of the log from which on a checkpoint is taken, at least 4096. A
///     longer log takes longer to be replayed; a shorter one has the tables written more often
public record StoreOptions(Durability durability, long capacity, long logBytes) {
    /// On the disk; room for 65,536 entities, a checkpoint for 64 MiB of log.
    public static final StoreOptions DEFAULT = new StoreOptions(Durability.DISK, 1 << 16, 64 << 20);

    /// Checks it.
    public StoreOptions {
        Objects.requireNonNull(durability, "durability");
        if (capacity < 1) {
            throw new IllegalArgumentException("the capacity is " + capacity + ", expected at least 1");
        }
        if (logBytes < 4096) {
            throw new IllegalArgumentException("logBytes is " + logBytes + ", expected at least 4096");
        }
    }

    /// The same with another durability.
    public StoreOptions durability(Durability other) {
        return new StoreOptions(other, capacity, logBytes);
    }

    /// The same with another capacity, in entities.
    public StoreOptions capacity(long entities) {
        return new StoreOptions(durability, entities, logBytes);
    }

    /// The same with another size of the log.
    public StoreOptions logBytes(long bytes) {
        return new StoreOptions(durability, capacity, bytes);
    }
}
