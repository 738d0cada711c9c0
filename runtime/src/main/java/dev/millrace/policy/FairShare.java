// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import java.util.concurrent.atomic.AtomicLong;

/// Whose turn it is among users of the same threads, so that each gets time by its weight: start-time fair queueing.
///
/// Every user has a tag, the time it has used divided by its weight. Of those that want a turn the one with the lowest
/// tag gets it. Who wanted none for a while begins where the others are now, and saves nothing up.
///
/// Threads: any.
public final class FairShare {
    /// One user's tag.
    public static final class Account {
        private final int weight;
        private final AtomicLong tag = new AtomicLong();

        /// @param weight its share in relation to those of others, from 1 on
        public Account(int weight) {
            this.weight = weight;
        }
    }

    /// The tag at which the last turn began.
    private final AtomicLong now = new AtomicLong();

    /// Where a turn of this user would begin; the lowest has it.
    public long start(Account account) {
        return Math.max(account.tag.get(), now.get());
    }

    /// A turn begins there.
    public void begin(long start) {
        now.accumulateAndGet(start, Math::max);
    }

    /// A turn that began at `start` has ended.
    ///
    /// @param nanos the time it took
    public void end(Account account, long start, long nanos) {
        long used = nanos / account.weight;
        account.tag.updateAndGet(tag -> Math.max(tag, start) + used);
    }
}
