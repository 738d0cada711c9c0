// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How often each value came. Threads: one. Memory: on the heap, about 100 bytes for each different
/// value and a text's characters.
final class Counts<T> {
    /// How many different values there may be.
    static final int MOST = 1 << 22;

    private final Map<T, long[]> counts = new HashMap<>();
    private final Comparator<T> order;

    Counts(Comparator<T> order) {
        this.order = order;
    }

    /// @throws IllegalArgumentException if there are too many different ones
    void add(T value) {
        long[] count = counts.get(value);
        if (count == null) {
            if (counts.size() == MOST) {
                throw new IllegalArgumentException("more different values came, expected " + MOST + " at most");
            }
            counts.put(value, new long[] {1});
        } else {
            count[0]++;
        }
    }

    /// The most frequent values, of equally frequent ones the least; the most frequent one first.
    ///
    /// @param most how many at most
    /// @param minCount how often each has to have come
    List<T> mostFrequent(int most, long minCount) {
        Comparator<T> byCount = Comparator.comparingLong(value -> -counts.get(value)[0]);
        List<T> values = new ArrayList<>(counts.keySet());
        values.removeIf(value -> counts.get(value)[0] < minCount);
        values.sort(byCount.thenComparing(order));
        return values.size() > most ? values.subList(0, most) : values;
    }
}
