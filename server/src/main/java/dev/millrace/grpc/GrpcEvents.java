// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Limit;

/// Told what happens at the gRPC front end, to count it and to keep within what all front ends may take together.
/// Threads: any tells.
public interface GrpcEvents {
    /// One more connection is open.
    ///
    /// @return how many that makes, with those of all other front ends
    int opened();

    /// A connection was closed.
    void closed();

    /// Something was over a limit.
    void limited(Limit limit);

    /// More of a message has come, but not all of it.
    ///
    /// @return whether there is room for so many bytes more
    boolean receiving(long bytes);

    /// Bytes that had come are a message, or of no use any more.
    void received(long bytes);

    /// What the client is told for whose message there is no room, which is counted.
    String tooMuchReceiving();

    /// A call has ended.
    ///
    /// @param code its status, gRPC's number
    void ended(int code);
}
