// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.net.InetAddress;

/// Whoever a request came from, as far as its exchange has to know: which version of HTTP it speaks is not a part of
/// that. Threads: the event loop's.
interface Requester {
    /// An exchange may have been answered since: sends what can be sent.
    void advance();

    /// Where the request came from.
    InetAddress peer();

    /// Whether it came by the port that only this machine reaches.
    boolean isLocal();
}
