// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

/// One load: how much, for how long.
///
/// @param rate requests per second that are due; 0 for the closed loop, in which every connection sends the next
/// request
///     as soon as the last was answered
/// @param connections to the server; each has at most one request on the way
/// @param warmupNanos at first, not counted
/// @param durationNanos counted, after the warm-up
/// @param timeoutNanos after which a request is given up, from the time it was due
/// @param seed of the arrivals
record LoadPlan(double rate, int connections, long warmupNanos, long durationNanos, long timeoutNanos, long seed) {
    boolean isClosed() {
        return rate == 0;
    }

    LoadPlan withRate(double other) {
        return new LoadPlan(other, connections, warmupNanos, durationNanos, timeoutNanos, seed);
    }
}
