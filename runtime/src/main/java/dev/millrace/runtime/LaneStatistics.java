// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.util.Map;

/// What a model version has done so far; a snapshot of counters that only grow, and of two gauges.
///
/// `accepted` equals the sum of `ended` plus `inFlight` once nothing moves.
///
/// @param model the model's name
/// @param version the model's version
/// @param accepted requests that were given slots
/// @param ended accepted requests by how they ended
/// @param refused requests that were not accepted, by the reason
/// @param rows rows run, dead ones included
/// @param batches runs of the model
/// @param runNanos time spent in runs, in nanoseconds
/// @param deadRows rows run that nobody waited for any more when they had been run; part of `rows`
/// @param skippedRows queued rows passed over without a run, because their requests had ended before
/// @param queued rows waiting for a run now
/// @param inFlight accepted requests that have not ended now
public record LaneStatistics(
        String model,
        long version,
        long accepted,
        Map<Outcome, Long> ended,
        Map<Outcome, Long> refused,
        long rows,
        long batches,
        long runNanos,
        long deadRows,
        long skippedRows,
        int queued,
        long inFlight) {
    /// Makes the maps immutable.
    public LaneStatistics {
        ended = Map.copyOf(ended);
        refused = Map.copyOf(refused);
    }
}
