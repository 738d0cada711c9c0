// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

/// Where a request's time goes, in the order of its way. The stages follow one another without a gap, so that
/// those of one request add up to its [#TOTAL].
public enum Stage {
    /// From its first byte taken in hand until the inputs are filled; only for requests whose owner tells, as
    /// the server does.
    DECODE,
    /// Checking the inputs, claiming slots and copying the rows into the ring.
    ASSEMBLE,
    /// Waiting: until what came in together is submitted, and until the slice with its last row begins.
    QUEUE,
    /// That slice's run, which it shares with the slice's other requests.
    RUN,
    /// From the end of the run until the answer is in the owner's hands: all answers of the slice are copied before
    /// the first is told.
    DELIVER,
    /// Making an answer of the outputs; only for requests whose owner tells, as the server does.
    ENCODE,
    /// The whole request.
    TOTAL
}
