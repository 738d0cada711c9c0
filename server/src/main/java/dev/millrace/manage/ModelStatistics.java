// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What a model version has done so far, by the names of the statistics extension. All of it only grows.
///
/// Counts are exact. Durations are those of the requests that were timed, scaled to all; of batches they are exact.
///
/// @param model the model's name
/// @param version the model's version
/// @param lastInferenceMillis when the last run ended, in milliseconds since 1970; 0 if there was none
/// @param inferenceCount rows run
/// @param executionCount runs of the model, whatever their size
/// @param success requests that were answered, from decoding to the encoded answer
/// @param fail all other requests that named this model
/// @param failures the same by the reason
/// @param queue what answered requests waited
/// @param computeInput checking their inputs and copying them to where they are run
/// @param computeInfer the runs that they were in
/// @param computeOutput from the end of the run until the answer was copied and told
/// @param cacheHit requests answered from the response cache; they did not wait and were not run
/// @param cacheMiss requests that it had no answer for, and what looking for and keeping their answers took
/// @param batches runs by batch size, ascending
/// @param memoryBytes native memory that it has booked
public record ModelStatistics(
        String model,
        long version,
        long lastInferenceMillis,
        long inferenceCount,
        long executionCount,
        Spent success,
        Spent fail,
        Map<FailureReason, Long> failures,
        Spent queue,
        Spent computeInput,
        Spent computeInfer,
        Spent computeOutput,
        Spent cacheHit,
        Spent cacheMiss,
        List<Batch> batches,
        long memoryBytes) {
    /// Makes the map and the list immutable.
    public ModelStatistics {
        failures = Map.copyOf(new EnumMap<>(failures));
        batches = List.copyOf(batches);
    }

    /// How often something was done, and how long it took together.
    ///
    /// @param count how often
    /// @param nanos how long
    public record Spent(long count, long nanos) {}

    /// The runs of one batch size.
    ///
    /// @param rows the batch size
    /// @param runs how many there were, and how long they took
    public record Batch(int rows, Spent runs) {}
}
