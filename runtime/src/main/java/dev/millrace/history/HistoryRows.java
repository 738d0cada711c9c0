// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.features.FeatureRow;
import dev.millrace.features.ViewLayout;
import dev.millrace.spec.FeatureView;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Lays the rows of a table out as plans read them.
///
/// Threads: one. Ownership: the memory that they go to stays its owner's.
final class HistoryRows {
    private static final int BITS = 7;

    private final FeatureView view;
    private final ViewLayout layout;
    private final RowMemory to;
    private final int firstField;
    private byte[] bytes;
    private MemorySegment row;

    /// @param firstField the column that the view's first field is in; the others follow
    HistoryRows(FeatureView view, RowMemory to, int firstField) {
        this.view = view;
        this.layout = ViewLayout.of(view);
        this.to = to;
        this.firstField = firstField;
        bytes = new byte[layout.byteSize()];
        row = MemorySegment.ofArray(bytes);
    }

    /// Adds a row; where it is.
    ///
    /// @throws IllegalArgumentException if a text is too long
    long add(TableBatch batch, int index) {
        Arrays.fill(bytes, 0, layout.byteSize(), (byte) 0);
        int end = layout.byteSize();
        for (int field = 0; field < layout.fieldCount(); field++) {
            ColumnValues values = batch.values(firstField + field);
            if (!values.isNull(index)) {
                bytes[field >>> 3] |= (byte) (1 << (field & BITS));
                end = put(field, values, index, end);
            }
        }
        int length = (end + BITS) & ~BITS;
        reserve(length);
        Arrays.fill(bytes, end, length, (byte) 0);
        return to.add(row, length);
    }

    /// Puts a value; where the texts end then.
    private int put(int field, ColumnValues values, int index, int end) {
        long at = layout.offset(field);
        switch (values.type()) {
            case FLOAT64 -> row.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, values.getDouble(index));
            case FLOAT32 -> row.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, values.getFloat(index));
            case INT64, TIMESTAMP -> row.set(ValueLayout.JAVA_LONG_UNALIGNED, at, values.getLong(index));
            case INT32 -> row.set(ValueLayout.JAVA_INT_UNALIGNED, at, values.getInt(index));
            case BOOL -> row.set(ValueLayout.JAVA_BYTE, at, (byte) (values.getBoolean(index) ? 1 : 0));
            case STRING -> {
                byte[] text = values.getString(index).getBytes(StandardCharsets.UTF_8);
                if (text.length > FeatureRow.MAX_TEXT_BYTES) {
                    throw new IllegalArgumentException(
                            "column '" + view.fields().get(field).name() + "': a text of " + text.length
                                    + " bytes came, expected at most " + FeatureRow.MAX_TEXT_BYTES);
                }
                reserve(end + text.length);
                System.arraycopy(text, 0, bytes, end, text.length);
                row.set(ValueLayout.JAVA_INT_UNALIGNED, at, end);
                row.set(ValueLayout.JAVA_INT_UNALIGNED, at + Integer.BYTES, text.length);
                return end + text.length;
            }
        }
        return end;
    }

    private void reserve(int length) {
        if (length > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(length, 2 * bytes.length));
            row = MemorySegment.ofArray(bytes);
        }
    }
}
