// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.Arrays;

/// Which elements of a tensor are null. Threads: one.
final class Nulls {
    private static final int WORD_SHIFT = 6;
    private static final long[] NONE = {};

    /// A bit for each element, 1 where it is null; shorter than that if the rest is not.
    private long[] bits = NONE;

    private boolean any;

    @Hot
    boolean is(long index) {
        if (!any) {
            return false;
        }
        int word = (int) (index >>> WORD_SHIFT);
        return word < bits.length && (bits[word] & 1L << index) != 0;
    }

    @Hot
    void set(long index, boolean isNull) {
        int word = (int) (index >>> WORD_SHIFT);
        if (isNull) {
            if (word >= bits.length) {
                grow(word);
            }
            bits[word] |= 1L << index;
            any = true;
        } else if (any && word < bits.length) {
            bits[word] &= ~(1L << index);
        }
    }

    private void grow(int word) {
        bits = Arrays.copyOf(bits, Math.max(word + 1, 2 * bits.length));
    }

    @Hot
    void clear() {
        if (any) {
            Arrays.fill(bits, 0);
            any = false;
        }
    }

    void copyFrom(Nulls other) {
        bits = other.any ? other.bits.clone() : NONE;
        any = other.any;
    }
}
