// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.ReceivingBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The body of the request that a connection is receiving. What comes in one piece is not copied. After every piece but
/// the last it is to be held.
///
/// Threads: one, the event loop's. Ownership: it holds the pieces, and its part of the budget, until it is cleared.
final class RequestBody {
    private static final Logger LOG = LoggerFactory.getLogger(RequestBody.class);
    private static final int LEAST_COPY = 1024;

    /// What became of a piece.
    enum Verdict {
        /// It is there.
        ADDED,
        /// The body is longer than it may be.
        TOO_LONG,
        /// There is no memory for it now.
        NO_MEMORY
    }

    private final int limit;
    private final ReceivingBudget budget;
    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
    private boolean copied;
    private long budgeted;

    RequestBody(int limit, ReceivingBudget budget) {
        this.limit = limit;
        this.budget = budget;
    }

    int limit() {
        return limit;
    }

    /// Adds a piece.
    Verdict append(ByteBuf piece) {
        int more = piece.readableBytes();
        if (more == 0) {
            return Verdict.ADDED;
        }
        if (more > limit - bytes.readableBytes()) {
            return Verdict.TOO_LONG;
        }
        if (!bytes.isReadable()) {
            bytes = piece.retain();
            return Verdict.ADDED;
        }
        try {
            bytes.writeBytes(piece);
            return Verdict.ADDED;
        } catch (OutOfMemoryError e) {
            return noMemory(e);
        }
    }

    private static Verdict noMemory(OutOfMemoryError problem) {
        LOG.warn("there is no memory for a body that is on its way: {}", problem.getMessage());
        return Verdict.NO_MEMORY;
    }

    /// The rest is still to come: what is here is copied, so as not to keep what it was read into, and counts. False if
    /// all bodies together are too much, or there is no memory.
    boolean hold(ByteBufAllocator allocator) {
        if (!copied && bytes.isReadable()) {
            try {
                copy(allocator);
            } catch (OutOfMemoryError e) {
                noMemory(e);
                return false;
            }
        }
        long more = bytes.capacity() - budgeted;
        if (more > 0) {
            if (!budget.take(more)) {
                return false;
            }
            budgeted += more;
        }
        return true;
    }

    private void copy(ByteBufAllocator allocator) {
        ByteBuf first = bytes;
        // Not on the heap: its small young generation has no room for what grows to megabytes.
        bytes = allocator
                .directBuffer(Math.max(2 * first.readableBytes(), LEAST_COPY))
                .writeBytes(first);
        copied = true;
        first.release();
    }

    ByteBuf bytes() {
        return bytes;
    }

    void clear() {
        bytes.release();
        bytes = Unpooled.EMPTY_BUFFER;
        copied = false;
        budget.giveBack(budgeted);
        budgeted = 0;
    }
}
