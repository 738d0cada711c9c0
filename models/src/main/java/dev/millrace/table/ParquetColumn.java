// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

/// One column of the row group that is being written: its pages so far, and the values of the page
/// that is open.
///
/// Values are plain; which of them are missing is said by definition levels, one bit for each
/// value, and by a single run where none or all are. Threads: one.
final class ParquetColumn {
    /// As large as other writers make pages.
    private static final int PAGE_BYTES = 1 << 20;
    private static final int PAGE_ROWS = 20_000;

    private static final int DATA_PAGE = 0;
    static final int PLAIN = 0;
    static final int RLE = 3;

    private final Column column;
    private final Bytes chunk = new Bytes(1 << 12);
    private final Bytes head = new Bytes(64);
    private final Bytes levels = new Bytes(64);
    private final Bytes values = new Bytes(1 << 12);
    /// Which values of the open page are there, a bit each.
    private final byte[] present = new byte[(PAGE_ROWS + 7) / 8];
    private int pageRows;
    private int pageNulls;
    private int bits;
    private int bitCount;
    private long nulls;

    ParquetColumn(Column column) {
        this.column = column;
    }

    /// Adds rows, of which there may be more than a page has.
    void append(ColumnValues from, int rows) {
        int row = 0;
        while (row < rows) {
            int end = Math.min(rows, row + PAGE_ROWS - pageRows);
            while (row < end && values.length() < PAGE_BYTES) {
                add(from, row++);
            }
            if (pageRows == PAGE_ROWS || values.length() >= PAGE_BYTES) {
                endPage();
            }
        }
    }

    private void add(ColumnValues from, int row) {
        int at = pageRows++;
        if (from.isNull(row)) {
            pageNulls++;
            return;
        }
        present[at >>> 3] |= (byte) (1 << (at & 7));
        switch (column.type()) {
            case FLOAT32 -> values.putInt(Float.floatToRawIntBits(from.getFloat(row)));
            case FLOAT64 -> values.putLong(Double.doubleToRawLongBits(from.getDouble(row)));
            case INT32 -> values.putInt(from.getInt(row));
            case INT64, TIMESTAMP -> values.putLong(from.getLong(row));
            case BOOL -> addBit(from.getBoolean(row));
            case STRING -> {
                byte[] utf8 = from.getString(row).getBytes(java.nio.charset.StandardCharsets.UTF_8);
                values.putInt(utf8.length);
                values.put(utf8);
            }
        }
    }

    private void addBit(boolean value) {
        bits |= (value ? 1 : 0) << bitCount++;
        if (bitCount == 8) {
            values.put(bits);
            bits = 0;
            bitCount = 0;
        }
    }

    private void endPage() {
        if (pageRows == 0) {
            return;
        }
        if (bitCount > 0) {
            values.put(bits);
        }
        levels.clear();
        if (column.nullable()) {
            putLevels();
        }
        int size = values.length() + (column.nullable() ? 4 + levels.length() : 0);
        head.clear();
        new ThriftWriter(head)
                .i32(1, DATA_PAGE)
                .i32(2, size)
                .i32(3, size)
                .begin(5)
                .i32(1, pageRows)
                .i32(2, PLAIN)
                .i32(3, RLE)
                .i32(4, RLE)
                .end()
                .finish();
        chunk.put(head);
        if (column.nullable()) {
            chunk.putInt(levels.length());
            chunk.put(levels);
        }
        chunk.put(values);
        nulls += pageNulls;
        clearPage();
    }

    private void putLevels() {
        if (pageNulls == 0 || pageNulls == pageRows) {
            levels.putVarint((long) pageRows << 1);
            levels.put(pageNulls == 0 ? 1 : 0);
        } else {
            int groups = (pageRows + 7) / 8;
            levels.putVarint((long) groups << 1 | 1);
            levels.put(present, 0, groups);
        }
    }

    private void clearPage() {
        java.util.Arrays.fill(present, 0, (pageRows + 7) / 8, (byte) 0);
        values.clear();
        pageRows = 0;
        pageNulls = 0;
        bits = 0;
        bitCount = 0;
    }

    /// How many bytes there are, about.
    long size() {
        return (long) chunk.length() + values.length();
    }

    /// All pages, with what is open.
    Bytes pages() {
        endPage();
        return chunk;
    }

    /// How many of the row group's values are missing.
    long nulls() {
        return nulls;
    }

    /// Forgets the row group.
    void clear() {
        chunk.clear();
        nulls = 0;
    }
}
