// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.memory.Hot;
import java.util.Arrays;

/// Keys of entities with numbers from 0 in the order in which they came: a table with open
/// addressing. All of them are whole numbers, or all of them texts in UTF-8.
///
/// Threads: one adds; any may look once that is done. Memory: on the heap, 8 bytes for a whole
/// number, 4 and the text's for a text, and 8 to 16 for either.
final class KeyIndex {
    private static final long MIX = 0x9E3779B97F4A7C15L;
    private static final int FIRST = 64;

    /// Of whole numbers; null for texts.
    private long[] numbers;
    /// Of texts; null for whole numbers.
    private byte[] texts;

    private int[] starts;
    private int count;
    /// A number plus one; 0 where there is none.
    private int[] table = new int[4 * FIRST];

    KeyIndex(boolean isText) {
        numbers = isText ? null : new long[FIRST];
        texts = isText ? new byte[16 * FIRST] : null;
        starts = isText ? new int[FIRST + 1] : null;
    }

    /// How many there are.
    int size() {
        return count;
    }

    /// The number of a key, which is a new one if it was not there.
    int add(long key) {
        int at = slot(key);
        if (table[at] == 0) {
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, larger(count));
            }
            numbers[count] = key;
            return added(at);
        }
        return table[at] - 1;
    }

    /// The number of a key, which is a new one if it was not there.
    ///
    /// @throws IllegalStateException if all texts together have 2 GiB
    int add(byte[] key) {
        int at = slot(key, 0, key.length);
        if (table[at] == 0) {
            if (count == starts.length - 1) {
                starts = Arrays.copyOf(starts, larger(count) + 1);
            }
            int end = starts[count] + key.length;
            if (end < 0) {
                throw new IllegalStateException("the keys' texts take more than 2 GiB");
            }
            if (end > texts.length) {
                texts = Arrays.copyOf(texts, Math.max(end, (int) Math.min(2L * texts.length, Integer.MAX_VALUE - 8)));
            }
            System.arraycopy(key, 0, texts, starts[count], key.length);
            starts[count + 1] = end;
            return added(at);
        }
        return table[at] - 1;
    }

    private static int larger(int size) {
        return (int) Math.min(size + (size >> 1) + 1L, Integer.MAX_VALUE - 16);
    }

    private int added(int at) {
        table[at] = ++count;
        if (count > table.length / 2) {
            table = new int[2 * table.length];
            for (int i = 0; i < count; i++) {
                table[numbers != null ? slot(numbers[i]) : slot(texts, starts[i], starts[i + 1] - starts[i])] = i + 1;
            }
        }
        return count - 1;
    }

    /// The number of a key, or -1.
    @Hot
    int find(long key) {
        return table[slot(key)] - 1;
    }

    /// The number of a key, or -1.
    @Hot
    int find(byte[] key, int offset, int length) {
        return table[slot(key, offset, length)] - 1;
    }

    /// Where in the table a key is, or would be.
    @Hot
    private int slot(long key) {
        int at = place(key);
        while (table[at] != 0 && numbers[table[at] - 1] != key) {
            at = at + 1 & table.length - 1;
        }
        return at;
    }

    @Hot
    private int slot(byte[] key, int offset, int length) {
        long hash = length;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + key[offset + i];
        }
        int at = place(hash);
        while (table[at] != 0 && !is(table[at] - 1, key, offset, length)) {
            at = at + 1 & table.length - 1;
        }
        return at;
    }

    @Hot
    private int place(long hash) {
        return (int) (((hash ^ hash >>> 32) * MIX) >>> 33) & (table.length - 1);
    }

    @Hot
    private boolean is(int number, byte[] key, int offset, int length) {
        return Arrays.equals(texts, starts[number], starts[number + 1], key, offset, offset + length);
    }
}
