// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import java.util.List;
import java.util.Map;

/// What is traced, and where to. Immutable.
///
/// @param timestamps whether the times of requests are
/// @param tensors whether what they ask and are told is
/// @param rate one of so many requests is
/// @param count so many are in all; -1 for no end
/// @param logFrequency how many traces a file has; 0 for all in one
/// @param file the name of the file
record TraceSettings(boolean timestamps, boolean tensors, long rate, long count, long logFrequency, String file) {
    /// The level that traces when a request passed from stage to stage.
    static final String TIMESTAMPS = "TIMESTAMPS";
    /// The level that traces inputs and outputs.
    static final String TENSORS = "TENSORS";

    /// Whether anything is traced.
    boolean traces() {
        return timestamps || tensors;
    }

    /// @param values of every setting
    static TraceSettings of(Map<Setting, String> values) {
        List<String> levels = List.of(values.get(Setting.TRACE_LEVEL).split(","));
        return new TraceSettings(
                levels.contains(TIMESTAMPS),
                levels.contains(TENSORS),
                Long.parseLong(values.get(Setting.TRACE_RATE)),
                Long.parseLong(values.get(Setting.TRACE_COUNT)),
                Long.parseLong(values.get(Setting.LOG_FREQUENCY)),
                values.get(Setting.TRACE_FILE));
    }
}
