// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.monitor.BatchCounts;
import dev.millrace.monitor.Sums;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What a model version has done so far; a snapshot of counters that only grow, and of some gauges.
///
/// `accepted` equals the sum of `ended` plus `inFlight` once nothing moves. Also while requests come, no counter is
/// less than in an earlier snapshot, and the requests that ended OK are no more than `rows`.
///
/// @param model the model's name
/// @param version the model's version
/// @param accepted requests that were given slots, or an answer from the response cache
/// @param ended accepted requests by how they ended
/// @param refused requests that were not accepted, by the reason
/// @param rows rows run, dead ones included
/// @param batches runs of the model
/// @param runNanos time spent in runs, in nanoseconds
/// @param batchSizes the same by batch size, ascending; `rows`, `batches` and `runNanos` are their sums
/// @param lastRunMillis when the last run ended, in milliseconds since 1970; 0 if there was none
/// @param timed how long requests took that were timed, which not all are
/// @param deadRows rows run that nobody waited for any more when they had been run; part of `rows`
/// @param skippedRows queued rows passed over without a run, because their requests had ended before
/// @param unmeetable requests refused because their deadline could not be met; part of those refused as overloaded
/// @param splits batches, or parts of them, that were run in halves because their run had failed
/// @param terminated runs that were ended early because nobody waited for them any more
/// @param loadNanos how long it took to load and warm up the model version, in nanoseconds
/// @param cacheHits requests answered from the response cache; they are accepted and ended, but have no slots and no
/// rows
/// @param cacheHitNanos time spent on looking for their answers and copying them, in nanoseconds
/// @param cacheMisses requests that the response cache had no answer for
/// @param cacheMissNanos time spent on looking for theirs, and on keeping them, in nanoseconds
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
        List<BatchCounts.Size> batchSizes,
        long lastRunMillis,
        Sums timed,
        long deadRows,
        long skippedRows,
        long unmeetable,
        long splits,
        long terminated,
        long loadNanos,
        long cacheHits,
        long cacheHitNanos,
        long cacheMisses,
        long cacheMissNanos,
        long breakerOpened,
        boolean breakerOpen,
        int queued,
        long inFlight) {
    /// Makes the maps and the list immutable.
    public LaneStatistics {
        batchSizes = List.copyOf(batchSizes);
        ended = Map.copyOf(ended);
        refused = Map.copyOf(refused);
    }

    /// What all versions of a model have done since the runtime was opened, those that are gone among them. All but
    /// `inFlight` only grows, whatever is loaded, replaced or unloaded.
    ///
    /// @param model the model's name
    /// @param accepted requests that were given slots, or an answer from the response cache
    /// @param ended accepted requests by how they ended
    /// @param refused requests that were not accepted, by the reason
    /// @param rows rows run
    /// @param batches runs of the model
    public record Totals(
            String model,
            long accepted,
            Map<Outcome, Long> ended,
            Map<Outcome, Long> refused,
            long rows,
            long batches) {
        /// Makes the maps immutable.
        public Totals {
            ended = Map.copyOf(ended);
            refused = Map.copyOf(refused);
        }

        /// Of a model that has done nothing.
        static Totals none(String model) {
            return new Totals(model, 0, Map.of(), Map.of(), 0, 0);
        }

        /// Accepted requests that have not ended now.
        public long inFlight() {
            return accepted - ended.values().stream().mapToLong(Long::longValue).sum();
        }

        Totals plus(Totals more) {
            return new Totals(
                    model,
                    accepted + more.accepted,
                    sum(ended, more.ended),
                    sum(refused, more.refused),
                    rows + more.rows,
                    batches + more.batches);
        }

        private static Map<Outcome, Long> sum(Map<Outcome, Long> one, Map<Outcome, Long> other) {
            Map<Outcome, Long> sum = new HashMap<>(one);
            other.forEach((outcome, count) -> sum.merge(outcome, count, Long::sum));
            return sum;
        }
    }
}
