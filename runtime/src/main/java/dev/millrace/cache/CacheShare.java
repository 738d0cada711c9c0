// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import dev.millrace.backend.TensorSet;

/// What the cache keeps for one version of a model. Threads: any, also after closing, when it finds and keeps nothing.
public final class CacheShare implements AutoCloseable {
    private final ResponseCache cache;
    private final int number;
    private volatile boolean closed;

    CacheShare(ResponseCache cache, int number) {
        this.cache = cache;
        this.number = number;
    }

    /// Tells its entries from those of others.
    int number() {
        return number;
    }

    boolean isClosed() {
        return closed;
    }

    /// The hash of a request's inputs, for the two methods that follow.
    public long hash(TensorSet tensors) {
        return TensorHash.of(cache.seed() ^ number, tensors.inputs()) & cache.hashMask();
    }

    /// Gives a request the answer that is kept for its inputs; false if there is none.
    ///
    /// @throws dev.millrace.memory.MemoryExceededException if its outputs do not have the memory
    public boolean find(long hash, TensorSet tensors) {
        return cache.stripe(hash).find(number, hash, tensors);
    }

    /// Keeps a request's answer, unless it is too large or there is one for its inputs.
    public void put(long hash, TensorSet tensors) {
        cache.stripe(hash).put(this, hash, tensors);
    }

    /// Forgets what is kept.
    @Override
    public void close() {
        closed = true;
        cache.forget(number);
    }
}
