// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

/// Which thread takes in what comes from Redis for a request.
public enum ReadBy {
    /// The one that asks, if it is an event loop with a connection: nothing is handed over.
    CALLER,
    /// Not the one that asks, which has others to answer meanwhile: there is much of it.
    OTHERS,
    /// Not the one that asks, which waits. What it may be reading for others already is asked for again.
    OTHERS_ALONE
}
