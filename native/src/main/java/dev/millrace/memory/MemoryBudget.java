// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// A limit for memory of one kind, and what is booked against it, by tag. A budget may be part of a larger one: what is
/// booked in it is booked there, too.
///
/// Laws: what is booked is never more than the limit, whoever books at the same time; what was booked and released
/// comes to zero. Threads: any, without locks. It allocates nothing itself: who books and does not allocate, releases.
public final class MemoryBudget {
    /// The budget of what has no limit.
    public static final MemoryBudget UNLIMITED = new MemoryBudget(null, "memory without a limit", Long.MAX_VALUE);

    private final MemoryBudget whole;
    private final String name;
    private final long limit;
    private final AtomicLong used = new AtomicLong();
    private final AtomicLongArray usedByTag = new AtomicLongArray(MemoryTag.values().length);

    private MemoryBudget(MemoryBudget whole, String name, long limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("the limit of " + name + " must not be negative, was " + limit);
        }
        this.whole = whole;
        this.name = name;
        this.limit = limit;
    }

    /// A budget of its own.
    ///
    /// @param name what it is for, for messages
    /// @param limit bytes
    public static MemoryBudget of(String name, long limit) {
        return new MemoryBudget(null, name, limit);
    }

    /// A part of this budget with a limit of its own, which may be larger than what is left here.
    public MemoryBudget part(String partName, long partLimit) {
        return new MemoryBudget(this, partName, partLimit);
    }

    /// What it is for.
    public String name() {
        return name;
    }

    /// The most that may be booked, in bytes.
    public long limit() {
        return limit;
    }

    /// Bytes booked now.
    public long used() {
        return used.get();
    }

    /// Bytes booked now under `tag`.
    @Hot
    public long used(MemoryTag tag) {
        return usedByTag.get(tag.ordinal());
    }

    /// Bytes that could be booked now, by this limit and those of the budgets that it is a part of.
    public long left() {
        long own = limit - used.get();
        return whole == null ? own : Math.min(own, whole.left());
    }

    /// Whether more than half of what requests may have is booked, here or in a budget that this is a part of: then
    /// nothing should be kept for later.
    @Hot
    public boolean isTight() {
        long lasting = lasting();
        return used.get() - lasting > (limit - lasting) / 2 || (whole != null && whole.isTight());
    }

    /// Books `bytes`.
    ///
    /// @throws MemoryExceededException if they do not fit; then nothing is booked
    public void reserve(MemoryTag tag, long bytes) {
        MemoryBudget full = book(tag, bytes);
        if (full != null) {
            throw new MemoryExceededException(full, tag, bytes);
        }
    }

    /// Releases `bytes` that were booked.
    public void release(MemoryTag tag, long bytes) {
        usedByTag.addAndGet(tag.ordinal(), -bytes);
        used.addAndGet(-bytes);
        if (whole != null) {
            whole.release(tag, bytes);
        }
    }

    /// Books `bytes` here and in the whole; or returns the budget that they do not fit into, and books nothing.
    private MemoryBudget book(MemoryTag tag, long bytes) {
        if (!take(bytes)) {
            return this;
        }
        MemoryBudget full = whole == null ? null : whole.book(tag, bytes);
        if (full == null) {
            usedByTag.addAndGet(tag.ordinal(), bytes);
        } else {
            used.addAndGet(-bytes);
        }
        return full;
    }

    private boolean take(long bytes) {
        long before = used.get();
        while (bytes <= limit - before) {
            long seen = used.compareAndExchange(before, before + bytes);
            if (seen == before) {
                return true;
            }
            before = seen;
        }
        return false;
    }

    /// The part of what is booked that stays while a model is served: it never makes room for a request.
    @Hot
    long lasting() {
        return used(MemoryTag.RING) + used(MemoryTag.ORT) + used(MemoryTag.MODEL) + used(MemoryTag.CACHE);
    }

    @Override
    public String toString() {
        return name + ": " + used() + " of " + limit + " bytes";
    }
}
