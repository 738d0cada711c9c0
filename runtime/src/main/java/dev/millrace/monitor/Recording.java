// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import java.util.EnumMap;
import java.util.Map;

/// What was recorded of a model version since it was loaded, or between two moments.
///
/// @param model the model's name
/// @param version the model's version
/// @param stages how long the stages of answered requests took, in nanoseconds; empty if nothing is recorded.
/// While there
///     are many requests a part of them is timed, each of which counts for those beside it
/// @param batchRows the sizes of all batches that were run
public record Recording(String model, long version, Map<Stage, Distribution> stages, Distribution batchRows) {
    /// Makes the map immutable.
    public Recording {
        stages = Map.copyOf(stages);
    }

    /// What came after `earlier`, a recording of the same model version.
    public Recording since(Recording earlier) {
        Map<Stage, Distribution> window = new EnumMap<>(Stage.class);
        stages.forEach(
                (stage, all) -> window.put(stage, all.since(earlier.stages().get(stage))));
        return new Recording(model, version, window, batchRows.since(earlier.batchRows()));
    }
}
