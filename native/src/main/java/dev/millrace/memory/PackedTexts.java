// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.Arrays;

/// Texts one after the other in an array, so that setting them makes no objects. A text that is set again takes the
/// room of the one before, if that is enough.
///
/// Threads: one.
final class PackedTexts {
    private static final int MOST_SPARE = 1 << 16;

    private byte[] bytes = {};
    private int used;
    private int[] offsets = {};
    private int[] lengths = {};
    private int[] rooms = {};

    /// Makes all texts empty, of which there are so many.
    void reset(int count) {
        if (offsets.length < count) {
            offsets = new int[count];
            lengths = new int[count];
            rooms = new int[count];
        } else {
            Arrays.fill(lengths, 0, count, 0);
            Arrays.fill(rooms, 0, count, 0);
        }
        used = 0;
    }

    /// The bytes that there will be with a text of that length.
    @Hot
    long heldWith(int index, int length) {
        return length <= rooms[index] || length <= bytes.length - used ? bytes.length : grown(length);
    }

    private long grown(int length) {
        long needed = (long) used + length;
        return Math.max(needed, Math.min(2L * bytes.length, needed + MOST_SPARE));
    }

    @Hot
    void put(int index, byte[] text, int offset, int length) {
        if (length > rooms[index]) {
            if (length > bytes.length - used) {
                grow(length);
            }
            offsets[index] = used;
            rooms[index] = length;
            used += length;
        }
        System.arraycopy(text, offset, bytes, offsets[index], length);
        lengths[index] = length;
    }

    private void grow(int length) {
        bytes = Arrays.copyOf(bytes, Math.toIntExact(grown(length)));
    }

    byte[] copy(int index) {
        return Arrays.copyOfRange(bytes, offsets[index], offsets[index] + lengths[index]);
    }

    @Hot
    byte[] bytes() {
        return bytes;
    }

    @Hot
    int offset(int index) {
        return offsets[index];
    }

    @Hot
    int length(int index) {
        return lengths[index];
    }

    int heldBytes() {
        return bytes.length;
    }

    @Hot
    int capacity() {
        return offsets.length;
    }
}
