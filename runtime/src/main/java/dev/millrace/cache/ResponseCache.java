// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cache;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/// Answers of the models that want theirs kept, in native memory of a fixed size: inputs and outputs of requests, those
/// asked for last. Equal are inputs of equal shapes and equal bytes; a hash only says where to look.
///
/// The memory is booked as a whole when the first model wants a share, and released by closing. It is divided into
/// stripes, so that threads seldom wait for one another; one request with its answer can take a stripe at most.
///
/// Threads: any. Ownership: it owns the memory; whoever made it closes it.
public final class ResponseCache implements AutoCloseable {
    private static final int MOST_STRIPES = 8;
    private static final long LEAST_STRIPE_BYTES = 4L << 20;
    /// Less would not hold anything.
    private static final long LEAST_BYTES = 1024;

    private final MemoryBudget budget;
    private final long bytes;
    private final long seed;
    private final long hashMask;
    private final AtomicInteger shares = new AtomicInteger();
    private OffHeapRegion region;
    private volatile Stripe[] stripes = {};
    private boolean closed;

    /// @param budget what the memory is booked in
    /// @param bytes the most that it takes
    public ResponseCache(MemoryBudget budget, long bytes) {
        this(budget, bytes, -1);
    }

    /// @param hashMask the bits of hashes that count; a test leaves out some to see them collide
    ResponseCache(MemoryBudget budget, long bytes, long hashMask) {
        this.budget = budget;
        this.bytes = Math.max(bytes, LEAST_BYTES);
        this.hashMask = hashMask;
        this.seed = ThreadLocalRandom.current().nextLong();
    }

    /// A share for one version of a model, which closes it.
    ///
    /// @throws dev.millrace.memory.MemoryExceededException if there is not enough memory for the cache
    public synchronized CacheShare share() {
        if (closed) {
            throw new IllegalStateException("the response cache is closed");
        }
        if (region == null) {
            OffHeapRegion memory = OffHeapRegion.allocate(budget, MemoryTag.CACHE, bytes);
            int count = Integer.highestOneBit(Math.clamp(bytes / LEAST_STRIPE_BYTES, 1, MOST_STRIPES));
            Stripe[] all = new Stripe[count];
            long each = bytes / count;
            for (int i = 0; i < count; i++) {
                all[i] = new Stripe(memory.segment().asSlice(i * each, each));
            }
            region = memory;
            stripes = all;
        }
        return new CacheShare(this, shares.incrementAndGet());
    }

    long seed() {
        return seed;
    }

    long hashMask() {
        return hashMask;
    }

    /// The stripe of a hash. Once there are shares.
    Stripe stripe(long hash) {
        Stripe[] all = stripes;
        return all[(int) (hash >>> 16) & (all.length - 1)];
    }

    void forget(int share) {
        for (Stripe stripe : stripes) {
            stripe.forget(share);
        }
    }

    /// The bytes that entries take now, their administration included.
    public long usedBytes() {
        long sum = 0;
        for (Stripe stripe : stripes) {
            sum += stripe.usedBytes();
        }
        return sum;
    }

    /// Answers that are kept now.
    public long entries() {
        long sum = 0;
        for (Stripe stripe : stripes) {
            sum += stripe.entries();
        }
        return sum;
    }

    /// Answers that made room for others so far.
    public long evictions() {
        long sum = 0;
        for (Stripe stripe : stripes) {
            sum += stripe.evictions();
        }
        return sum;
    }

    /// The most bytes that it takes; 0 while no model wants answers kept.
    public synchronized long limitBytes() {
        return region == null ? 0 : bytes;
    }

    /// Frees the memory. Shares find nothing from now on.
    @Override
    public synchronized void close() {
        closed = true;
        for (Stripe stripe : stripes) {
            stripe.close();
        }
        if (region != null) {
            region.close();
            region = null;
        }
    }
}
