// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.util.OptionalLong;

/// What a feed has done, and how it stands.
///
/// @param rows that were written, deletions among them
/// @param deadLetters records that were no rows
/// @param lag how many records of its partitions it has not consumed, as far as it knows
/// @param newestEventMicros the latest event time of all rows that were written, in microseconds
///     since 1970
/// @param up whether it works
/// @param failures how often it did not, and tried again
public record FeedStatistics(
        String view,
        String topic,
        long rows,
        long deadLetters,
        OptionalLong lag,
        OptionalLong newestEventMicros,
        boolean up,
        long failures) {}
