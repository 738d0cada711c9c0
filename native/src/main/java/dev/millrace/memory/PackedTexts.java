// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.Arrays;

/// Texts one after the other in an array, so that setting them makes no objects. A text that is set again takes the
/// room of the one before, if that is enough.
///
/// Threads: one.
final class PackedTexts {
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

    /// The bytes that there have to be for one more text of that length.
    @Hot
    long needed(int index, int length) {
        return length <= rooms[index] ? bytes.length : Math.max(bytes.length, (long) used + length);
    }

    @Hot
    void put(int index, byte[] text, int offset, int length) {
        if (length > rooms[index]) {
            if (used + length > bytes.length) {
                grow(used + length);
            }
            offsets[index] = used;
            rooms[index] = length;
            used += length;
        }
        System.arraycopy(text, offset, bytes, offsets[index], length);
        lengths[index] = length;
    }

    private void grow(int needed) {
        bytes = Arrays.copyOf(bytes, Math.max(needed, Math.min(2 * bytes.length, needed + (1 << 16))));
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
