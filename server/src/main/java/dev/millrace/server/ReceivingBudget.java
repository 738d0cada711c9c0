// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.util.concurrent.atomic.AtomicLong;

/// How much memory the bodies may take together that have not come wholly. A body that comes in one piece never counts.
/// Threads: any.
final class ReceivingBudget {
    private final long limit;
    private final AtomicLong used = new AtomicLong();

    ReceivingBudget(long limitBytes) {
        this.limit = limitBytes;
    }

    /// Takes so many bytes of it; false, and nothing is taken, if there are not that many left.
    boolean take(long bytes) {
        if (used.addAndGet(bytes) > limit) {
            used.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    void giveBack(long bytes) {
        if (bytes > 0) {
            used.addAndGet(-bytes);
        }
    }

    long used() {
        return used.get();
    }

    long limit() {
        return limit;
    }
}
