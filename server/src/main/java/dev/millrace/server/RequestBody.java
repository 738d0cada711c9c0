// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

/// The body of the request that a connection is receiving. What comes in one piece is not copied. After every piece but
/// the last it is to be held.
///
/// Threads: one, the event loop's. Ownership: it holds the pieces, and its part of the budget, until it is cleared.
final class RequestBody {
    private static final int LEAST_COPY = 1024;

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

    /// Adds a piece; false if that is too much.
    boolean append(ByteBuf piece) {
        int more = piece.readableBytes();
        if (more == 0) {
            return true;
        }
        if (more > limit - bytes.readableBytes()) {
            return false;
        }
        if (!bytes.isReadable()) {
            bytes = piece.retain();
        } else {
            bytes.writeBytes(piece);
        }
        return true;
    }

    /// The rest is still to come: what is here is copied, so as not to keep what it was read into, and counts. False if
    /// all bodies together are too much.
    boolean hold(ByteBufAllocator allocator) {
        if (!copied && bytes.isReadable()) {
            copied = true;
            ByteBuf first = bytes;
            // Not on the heap: its small young generation has no room for what grows to megabytes.
            bytes = allocator
                    .directBuffer(Math.max(2 * first.readableBytes(), LEAST_COPY))
                    .writeBytes(first);
            first.release();
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
