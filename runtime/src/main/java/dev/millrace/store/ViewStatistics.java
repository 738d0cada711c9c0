// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// What a view holds.
///
/// @param entities that can be read
/// @param deleted that were deleted and take room until they expire
/// @param capacity how many of both fit before the view grows
/// @param bytes of its table, in memory or mapped
/// @param oldestEventTime in microseconds since 1970, of entities that can be read; 0 without any
/// @param newestEventTime likewise
public record ViewStatistics(
        long entities, long deleted, long capacity, long bytes, long oldestEventTime, long newestEventTime) {}
