// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.util.Map;

/// What a model version has done so far; a snapshot of counters that only grow, and of some gauges.
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
/// @param unmeetable requests refused because their deadline could not be met; part of those refused as overloaded
/// @param splits batches, or parts of them, that were run in halves because their run had failed
/// @param terminated runs that were ended early because nobody waited for them any more
/// @param breakerOpened how often the breaker opened because the model kept failing
/// @param breakerOpen whether it is open now, so that requests are refused but for probes
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
        long unmeetable,
        long splits,
        long terminated,
        long breakerOpened,
        boolean breakerOpen,
        int queued,
        long inFlight) {
    /// Makes the maps immutable.
    public LaneStatistics {
        ended = Map.copyOf(ended);
        refused = Map.copyOf(refused);
    }
}
