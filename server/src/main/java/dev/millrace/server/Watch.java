// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.limit.Patience;

/// What a connection waits for from its client, on the way in and on the way out, seen in looks that lie far apart.
///
/// Threads: the connection's event loop.
final class Watch {
    private final Patience incoming;
    private final Patience outgoing;

    /// Bytes that were handed to the channel, ever, as the channel counts them.
    private long queued;
    private long queuedAtLook;
    /// How often all that was queued at one look was gone at the next.
    private long drained;

    Watch(Limits limits) {
        incoming = new Patience(limits);
        outgoing = new Patience(limits);
    }

    /// So many more bytes were handed to the channel.
    void queued(long bytes) {
        queued += bytes;
    }

    /// What the client had to do when it was looked at last: take answers, or else send something; null for nothing.
    Limit awaited() {
        return outgoing.awaited() == null ? incoming.awaited() : outgoing.awaited();
    }

    /// The time limit that the client has exceeded, or null.
    ///
    /// @param awaited what the client has to send; null if it is not its turn
    /// @param requests how many have begun
    /// @param received bytes of the present body
    /// @param waited whether the client has to take something
    /// @param left bytes that it has not taken
    Limit late(Limit awaited, long requests, long received, boolean waited, long left, long nowNanos) {
        long taken = queued - left;
        if (taken >= queuedAtLook) {
            drained++;
        }
        queuedAtLook = queued;
        if (outgoing.isOver(waited ? Limit.WRITE_TIMEOUT : null, drained, taken, nowNanos)) {
            return Limit.WRITE_TIMEOUT;
        }
        return incoming.isOver(awaited, requests, received, nowNanos) ? awaited : null;
    }
}
