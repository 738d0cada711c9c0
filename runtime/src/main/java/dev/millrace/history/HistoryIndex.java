// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.memory.Hot;
import java.util.Arrays;

/// The rows of all entities by entity, then by event time, then by creation, then as they came; and
/// which of an entity's was the newest that was known at a time.
///
/// Threads: any; it does not change. Memory: on the heap, 8 bytes for the place of a row, 8 for its
/// event time, and 8 and an eighth for its creation where there is one; 4 for an entity. While it is
/// made another 16 for each row.
final class HistoryIndex {
    /// How many rows one least creation is kept for, so that rows which came later are passed over.
    private static final int SPAN_BITS = 6;

    private static final int SPAN = 1 << SPAN_BITS;

    private final long[] events;
    /// When rows were created; null where that is their event time.
    private final long[] created;

    private final long[] places;
    private final int[] starts;
    /// The least creation of each span of rows.
    private final long[] least;

    /// Sorts rows, which are given in the order of the file.
    ///
    /// @param entities how many entities there are
    /// @param entity the number of each row's
    /// @param created null where rows are known from their event time on
    /// @param rows how many rows there are; the arrays may be longer
    HistoryIndex(int entities, int[] entity, long[] events, long[] created, long[] places, int rows) {
        starts = new int[entities + 1];
        for (int row = 0; row < rows; row++) {
            starts[entity[row] + 1]++;
        }
        for (int i = 0; i < entities; i++) {
            starts[i + 1] += starts[i];
        }
        int[] order = new int[rows];
        int[] next = Arrays.copyOf(starts, entities);
        for (int row = 0; row < rows; row++) {
            order[next[entity[row]]++] = row;
        }
        int[] spare = new int[rows];
        for (int i = 0; i < entities; i++) {
            sort(order, spare, starts[i], starts[i + 1], events, created);
        }
        this.places = ordered(places, order);
        this.events = ordered(events, order);
        this.created = created == null ? null : ordered(created, order);
        least = created == null ? null : new long[(rows + SPAN - 1) >> SPAN_BITS];
        if (least != null) {
            Arrays.fill(least, Long.MAX_VALUE);
            for (int row = 0; row < rows; row++) {
                least[row >> SPAN_BITS] = Math.min(least[row >> SPAN_BITS], this.created[row]);
            }
        }
    }

    private static long[] ordered(long[] values, int[] order) {
        long[] ordered = new long[order.length];
        for (int i = 0; i < ordered.length; i++) {
            ordered[i] = values[order[i]];
        }
        return ordered;
    }

    /// Merges halves; what is equal stays in its order. Files are mostly in order already.
    private static void sort(int[] order, int[] spare, int from, int to, long[] events, long[] created) {
        if (to - from < 2) {
            return;
        }
        int middle = (from + to) >>> 1;
        sort(order, spare, from, middle, events, created);
        sort(order, spare, middle, to, events, created);
        if (!isLater(order[middle - 1], order[middle], events, created)) {
            return;
        }
        System.arraycopy(order, from, spare, from, middle - from);
        int left = from;
        int right = middle;
        for (int i = from; left < middle; i++) {
            boolean takesRight = right < to && isLater(spare[left], order[right], events, created);
            order[i] = takesRight ? order[right++] : spare[left++];
        }
    }

    private static boolean isLater(int row, int other, long[] events, long[] created) {
        if (events[row] != events[other] || created == null) {
            return events[row] > events[other];
        }
        return created[row] > created[other];
    }

    /// How many rows there are.
    int rows() {
        return events.length;
    }

    /// How many bytes it takes.
    long bytes() {
        long perRow = created == null ? 2L * Long.BYTES : 3L * Long.BYTES;
        return events.length * perRow
                + (least == null ? 0 : (long) least.length * Long.BYTES)
                + (long) starts.length * Integer.BYTES;
    }

    /// The newest row of an entity that was known at a time, or -1.
    @Hot
    int find(int entity, long micros) {
        int first = starts[entity];
        int row = last(first, starts[entity + 1], micros);
        if (created == null) {
            return row < first ? -1 : row;
        }
        while (row >= first) {
            int span = row >> SPAN_BITS;
            if (least[span] > micros) {
                row = (span << SPAN_BITS) - 1;
            } else if (created[row] <= micros) {
                return row;
            } else {
                row--;
            }
        }
        return -1;
    }

    /// The last row whose event time is not after a time, or the one before the first.
    @Hot
    private int last(int first, int end, long micros) {
        int low = first;
        int high = end;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (events[middle] <= micros) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    @Hot
    long event(int row) {
        return events[row];
    }

    @Hot
    long place(int row) {
        return places[row];
    }
}
