// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import java.util.concurrent.atomic.AtomicLong;

/// How much memory the bodies may take together that have not come wholly. A body that comes in one piece never counts.
/// Threads: any.
public final class ReceivingBudget {
    private final long limit;
    private final AtomicLong used = new AtomicLong();

    /// Nothing is taken yet.
    public ReceivingBudget(long limitBytes) {
        this.limit = limitBytes;
    }

    /// Takes so many bytes of it; false, and nothing is taken, if there are not that many left.
    public boolean take(long bytes) {
        if (used.addAndGet(bytes) > limit) {
            used.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    /// Gives back what was taken.
    public void giveBack(long bytes) {
        if (bytes > 0) {
            used.addAndGet(-bytes);
        }
    }

    /// Bytes that are taken.
    public long used() {
        return used.get();
    }

    /// The most that may be taken.
    public long limit() {
        return limit;
    }
}
