// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Texts with their places in a list, found by their bytes in UTF-8: a table with open addressing
/// over one array of all bytes. Threads: any; it does not change.
final class TextIndex {
    private final byte[] bytes;
    private final int[] starts;
    /// The place in the list plus one; 0 where there is none.
    private final int[] table;

    TextIndex(List<String> texts) {
        byte[][] all = new byte[texts.size()][];
        starts = new int[texts.size() + 1];
        for (int i = 0; i < all.length; i++) {
            all[i] = texts.get(i).getBytes(StandardCharsets.UTF_8);
            starts[i + 1] = Math.addExact(starts[i], all[i].length);
        }
        bytes = new byte[starts[all.length]];
        table = new int[Integer.highestOneBit(Math.max(1, all.length)) * 4];
        for (int i = 0; i < all.length; i++) {
            System.arraycopy(all[i], 0, bytes, starts[i], all[i].length);
            int at = Murmur3.hash(all[i], 0, all[i].length, 0) & table.length - 1;
            while (table[at] != 0) {
                at = at + 1 & table.length - 1;
            }
            table[at] = i + 1;
        }
    }

    /// The place of a text, or -1.
    @Hot
    int find(byte[] text, int offset, int length) {
        int at = Murmur3.hash(text, offset, length, 0) & table.length - 1;
        while (table[at] != 0) {
            int index = table[at] - 1;
            if (Arrays.equals(bytes, starts[index], starts[index + 1], text, offset, offset + length)) {
                return index;
            }
            at = at + 1 & table.length - 1;
        }
        return -1;
    }
}
