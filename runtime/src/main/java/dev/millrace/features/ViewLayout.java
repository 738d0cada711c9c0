// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import java.util.Arrays;

/// How the row of a view lies in memory. First a bit for each field, bit `i % 8` of byte `i / 8`,
/// which is 1 where the field has a value, so that zeroed memory is a row of nulls; they take a
/// multiple of eight bytes. Then the fields, the widest first, in native byte order without gaps. A
/// text has two ints there: where its bytes begin, counted from the row's beginning, and how many
/// they are; the bytes follow the fixed part. A truth value is a byte, a time a long.
///
/// Threads: any; it does not change.
public final class ViewLayout {
    private static final int WORD_BITS = 64;

    private final int[] offsets;
    private final int bitmapBytes;
    private final int byteSize;

    private ViewLayout(int[] offsets, int bitmapBytes, int byteSize) {
        this.offsets = offsets;
        this.bitmapBytes = bitmapBytes;
        this.byteSize = byteSize;
    }

    /// The layout of a view's rows.
    public static ViewLayout of(FeatureView view) {
        int count = view.fields().size();
        int bitmapBytes = (count + WORD_BITS - 1) / WORD_BITS * Long.BYTES;
        int[] offsets = new int[count];
        int next = bitmapBytes;
        for (int width : new int[] {Long.BYTES, Integer.BYTES, 1}) {
            for (int i = 0; i < count; i++) {
                FieldSpec field = view.fields().get(i);
                if (field.type().bytes() == width) {
                    offsets[i] = next;
                    next += width;
                }
            }
        }
        return new ViewLayout(offsets, bitmapBytes, (next + Long.BYTES - 1) / Long.BYTES * Long.BYTES);
    }

    /// Where a field lies, in bytes from the row's beginning.
    @Hot
    public int offset(int field) {
        return offsets[field];
    }

    /// The number of fields.
    public int fieldCount() {
        return offsets.length;
    }

    /// How many bytes the bits take.
    public int bitmapBytes() {
        return bitmapBytes;
    }

    /// The size of the fixed part in bytes, a multiple of 8.
    public int byteSize() {
        return byteSize;
    }

    @Override
    public String toString() {
        return byteSize + " bytes, fields at " + Arrays.toString(offsets);
    }
}
