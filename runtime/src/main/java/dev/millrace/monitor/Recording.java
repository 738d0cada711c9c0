// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import java.util.EnumMap;
import java.util.Map;

/// What was recorded of a model version since it was loaded, or between two moments.
///
/// @param model the model's name
/// @param version the model's version
/// @param began when it began, by the lane's clock, in nanoseconds: tells a version from the same one loaded anew
/// @param stages how long the stages of answered requests took, in nanoseconds; empty if nothing is recorded.
/// While there
///     are many requests a part of them is timed, each of which counts for those beside it
/// @param batchRows the sizes of all batches that were run
public record Recording(
        String model, long version, long began, Map<Stage, Distribution> stages, Distribution batchRows) {
    /// Makes the map immutable.
    public Recording {
        stages = Map.copyOf(stages);
    }

    /// What came after `earlier`; all, if that is of another instance of the model version, or null.
    public Recording since(Recording earlier) {
        if (earlier == null || earlier.began != began) {
            return this;
        }
        Map<Stage, Distribution> window = new EnumMap<>(Stage.class);
        stages.forEach(
                (stage, all) -> window.put(stage, all.since(earlier.stages().get(stage))));
        return new Recording(model, version, began, window, batchRows.since(earlier.batchRows()));
    }
}
