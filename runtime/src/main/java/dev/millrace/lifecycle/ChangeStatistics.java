// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import java.util.EnumMap;
import java.util.Map;

/// What was done to change one model so far. All of it only grows.
///
/// @param model the model's name
/// @param loads versions that were loaded and served
/// @param loadNanos how long that took together, checks and warm-up included
/// @param failures versions that could not be loaded, by the reason
/// @param swaps how often other versions were served from one moment to the next than before
public record ChangeStatistics(String model, long loads, long loadNanos, Map<Failure, Long> failures, long swaps) {
    /// Makes the map immutable, with a count for every reason.
    public ChangeStatistics {
        Map<Failure, Long> all = new EnumMap<>(Failure.class);
        for (Failure failure : Failure.values()) {
            all.put(failure, failures.getOrDefault(failure, 0L));
        }
        failures = Map.copyOf(all);
    }

    /// Why a version could not be loaded.
    public enum Failure {
        /// Its configuration is wrong, or contradicts the model.
        CONFIGURATION,
        /// It takes or gives other tensors than the version that it was to replace.
        CONTRACT,
        /// It ended the process of its trial.
        CRASHED,
        /// It does not answer its goldens as it should.
        GOLDENS,
        /// Its trial did not end in time.
        HUNG,
        /// There is not enough memory for it, or it wanted more in its trial than it may have.
        MEMORY,
        /// Its file is missing or wrong, or it does not run.
        MODEL,
        /// There was no process to be had for its trial.
        NOT_TRIED
    }
}
