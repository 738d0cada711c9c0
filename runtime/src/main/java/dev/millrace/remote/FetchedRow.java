// SPDX-License-Identifier: Apache-2.0
package dev.millrace.remote;

import java.lang.foreign.MemorySegment;

/// What came of an entity.
///
/// Threads: any; it does not change.
///
/// @param memory the row, on the heap, as the layout that was wanted says; null if there is none
/// @param eventTimeMicros when its values were so, in microseconds since 1970
/// @param isUnavailable whether the store could not be asked: the row is an older one then, or there is none
public record FetchedRow(MemorySegment memory, long eventTimeMicros, boolean isUnavailable) {
    /// The store has nothing about the entity.
    public static final FetchedRow ABSENT = new FetchedRow(null, 0, false);

    /// The store could not be asked, and nothing older may be taken instead.
    public static final FetchedRow UNAVAILABLE = new FetchedRow(null, 0, true);
}
