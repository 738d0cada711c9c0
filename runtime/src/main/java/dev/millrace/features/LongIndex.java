// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import java.util.List;

/// Whole numbers with their places in a list: a table with open addressing. Threads: any; it does
/// not change.
final class LongIndex {
    private final long[] keys;
    /// The place in the list plus one; 0 where there is none.
    private final int[] table;

    LongIndex(List<Long> numbers) {
        keys = new long[numbers.size()];
        table = new int[Integer.highestOneBit(Math.max(1, keys.length)) * 4];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = numbers.get(i);
            int at = Murmur3.hash(keys[i], 0) & table.length - 1;
            while (table[at] != 0) {
                at = at + 1 & table.length - 1;
            }
            table[at] = i + 1;
        }
    }

    /// The place of a number, or -1.
    @Hot
    int find(long number) {
        int at = Murmur3.hash(number, 0) & table.length - 1;
        while (table[at] != 0) {
            if (keys[table[at] - 1] == number) {
                return table[at] - 1;
            }
            at = at + 1 & table.length - 1;
        }
        return -1;
    }
}
