// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Texts with their places in a list, found by their bytes in UTF-8: a table with open addressing
/// over one array of all bytes. Texts of up to eight bytes are compared as one number. Threads:
/// any; it does not change.
final class TextIndex {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] bytes;
    private final int[] starts;
    /// The first bytes of each text as a number, the first of them lowest.
    private final long[] heads;
    /// The place in the list plus one; 0 where there is none.
    private final int[] table;

    TextIndex(List<String> texts) {
        byte[][] all = new byte[texts.size()][];
        starts = new int[texts.size() + 1];
        heads = new long[texts.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = texts.get(i).getBytes(StandardCharsets.UTF_8);
            starts[i + 1] = Math.addExact(starts[i], all[i].length);
        }
        bytes = new byte[starts[all.length]];
        table = new int[Integer.highestOneBit(Math.max(1, all.length)) * 4];
        for (int i = 0; i < all.length; i++) {
            System.arraycopy(all[i], 0, bytes, starts[i], all[i].length);
            heads[i] = head(all[i], 0, all[i].length);
            int at = place(all[i], 0, all[i].length, heads[i]);
            while (table[at] != 0) {
                at = at + 1 & table.length - 1;
            }
            table[at] = i + 1;
        }
    }

    /// Up to eight bytes of a text as a number.
    @Hot
    private static long head(byte[] text, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        int count = Math.min(length, Long.BYTES);
        if (offset + Long.BYTES <= text.length) {
            return (long) LONG.get(text, offset) & (-1L >>> (Long.SIZE - Byte.SIZE * count));
        }
        long head = 0;
        for (int i = 0; i < count; i++) {
            head |= (text[offset + i] & 0xffL) << (Byte.SIZE * i);
        }
        return head;
    }

    /// Where in the table a text is looked for first.
    @Hot
    private int place(byte[] text, int offset, int length, long head) {
        if (length > Long.BYTES) {
            return Murmur3.hash(text, offset, length, 0) & table.length - 1;
        }
        long mixed = (head ^ (head >>> 32)) * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & table.length - 1;
    }

    /// The place of a text, or -1.
    @Hot
    int find(byte[] text, int offset, int length) {
        long head = head(text, offset, length);
        int at = place(text, offset, length, head);
        while (table[at] != 0) {
            int index = table[at] - 1;
            int start = starts[index];
            boolean same = heads[index] == head && starts[index + 1] - start == length;
            if (same
                    && (length <= Long.BYTES
                            || Arrays.equals(bytes, start, start + length, text, offset, offset + length))) {
                return index;
            }
            at = at + 1 & table.length - 1;
        }
        return -1;
    }
}
