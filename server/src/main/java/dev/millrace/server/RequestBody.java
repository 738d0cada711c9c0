// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

/// The body of the request that a connection is receiving. What comes in one piece is not copied.
///
/// Threads: one, the event loop's. Ownership: it holds the pieces until it is cleared.
final class RequestBody {
    private final int limit;
    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
    private boolean copied;

    RequestBody(int limit) {
        this.limit = limit;
    }

    int limit() {
        return limit;
    }

    /// Adds a piece; false if that is too much.
    boolean append(ByteBuf piece, ByteBufAllocator allocator) {
        int more = piece.readableBytes();
        if (more == 0) {
            return true;
        }
        if (more > limit - bytes.readableBytes()) {
            return false;
        }
        if (!bytes.isReadable()) {
            bytes = piece.retain();
            return true;
        }
        if (!copied) {
            copied = true;
            ByteBuf first = bytes;
            // Not on the heap: its small young generation has no room for what grows to megabytes.
            bytes = allocator
                    .directBuffer(Math.max(2 * (first.readableBytes() + more), 1024))
                    .writeBytes(first);
            first.release();
        }
        bytes.writeBytes(piece);
        return true;
    }

    ByteBuf bytes() {
        return bytes;
    }

    void clear() {
        bytes.release();
        bytes = Unpooled.EMPTY_BUFFER;
        copied = false;
    }
}
