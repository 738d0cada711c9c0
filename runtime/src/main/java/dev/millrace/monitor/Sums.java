// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import java.util.EnumMap;
import java.util.Map;

/// How long the requests of one model version took together, as far as they were timed: each timed one counts for
/// those that it was chosen from. Only grows; a mean is a difference of two divided by the difference of counts.
///
/// @param answered timed requests that were answered
/// @param nanos how long each stage of them took; 0 for all if nothing is recorded
/// @param failed timed requests that ended otherwise, or were refused
/// @param failedNanos how long these took
public record Sums(long answered, Map<Stage, Long> nanos, long failed, long failedNanos) {
    /// Nothing was timed.
    public static final Sums NONE = new Sums(0, new EnumMap<>(Stage.class), 0, 0);

    /// Makes the map immutable and fills it up.
    public Sums {
        Map<Stage, Long> all = new EnumMap<>(Stage.class);
        for (Stage stage : Stage.values()) {
            all.put(stage, nanos.getOrDefault(stage, 0L));
        }
        nanos = Map.copyOf(all);
    }
}
