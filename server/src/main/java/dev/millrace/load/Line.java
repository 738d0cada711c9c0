// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

/// A connection to the server as the [Generator] sees it: it carries one request at a time.
///
/// Threads: the generator's.
abstract class Line {
    private long due;
    private boolean busy;

    /// Writes the next request.
    abstract void transmit();

    /// Closes the connection, whatever is on it, and opens another. Then it is [free again][Generator#opened(Line)].
    abstract void reopen();

    /// A request that was due at `time` is on the line from now on.
    final void take(long time) {
        due = time;
        busy = true;
    }

    /// The request has ended, one way or another.
    final void release() {
        busy = false;
    }

    /// When the request was due, in nanoseconds of the generator's clock.
    final long due() {
        return due;
    }

    final boolean isBusy() {
        return busy;
    }
}
