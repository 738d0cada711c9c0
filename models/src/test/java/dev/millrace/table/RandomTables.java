// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Tables at random, with what is easily lost among their values.
final class RandomTables {
    private static final List<String> TEXTS = List.of(
            "",
            "a",
            ",",
            "\"",
            "a\"b",
            "\"\"",
            "\r\n",
            "\n",
            "\r",
            " b ",
            "ü€😀",
            "NaN",
            "\t",
            "\\",
            "\uFEFF",
            "null",
            "0",
            "true",
            "\u0000\u001f\u007f",
            "2026-01-31T12:00:00Z",
            "007",
            "{}",
            "\u2028",
            "-");
    private static final float[] FLOATS = {
        0,
        -0.0f,
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MIN_VALUE,
        Float.MAX_VALUE,
        Float.MIN_NORMAL,
        0.1f,
        1.17549421e-38f,
        16777216f
    };
    private static final double[] DOUBLES = {
        0,
        -0.0,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        Double.MIN_VALUE,
        Double.MAX_VALUE,
        Double.MIN_NORMAL,
        0.1,
        9007199254740993.0,
        1e22,
        1e23
    };
    private static final long[] LONGS = {0, -1, 1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 53, -(1L << 53) - 1, 999_999};

    private RandomTables() {}

    /// One to eight columns.
    static List<Column> columns(SplittableRandom random) {
        List<Column> columns = new ArrayList<>();
        ColumnType[] types = ColumnType.values();
        for (int i = random.nextInt(1, 9); i > 0; i--) {
            String name = random.nextInt(4) == 0 ? TEXTS.get(random.nextInt(TEXTS.size())) + "c" + i : "c" + i;
            columns.add(new Column(name, types[random.nextInt(types.length)], random.nextBoolean()));
        }
        return columns;
    }

    /// Fills all rows of a batch that it may have.
    static TableBatch fill(TableBatch batch, SplittableRandom random) {
        batch.clear();
        batch.rows(batch.capacity());
        for (int i = 0; i < batch.columns().size(); i++) {
            int nulls = random.nextInt(4); // none, some, some, all
            for (int row = 0; row < batch.rows(); row++) {
                boolean missing = nulls == 3 || (nulls > 0 && random.nextInt(3) == 0);
                if (batch.columns().get(i).nullable() && missing) {
                    batch.values(i).setNull(row);
                } else {
                    set(batch.values(i), row, random);
                }
            }
        }
        return batch;
    }

    private static void set(ColumnValues to, int row, SplittableRandom random) {
        boolean special = random.nextInt(3) == 0;
        switch (to.type()) {
            case FLOAT32 ->
                to.setFloat(
                        row,
                        special
                                ? FLOATS[random.nextInt(FLOATS.length)]
                                : number(Float.intBitsToFloat(random.nextInt())));
            case FLOAT64 ->
                to.setDouble(
                        row,
                        special
                                ? DOUBLES[random.nextInt(DOUBLES.length)]
                                : number(Double.longBitsToDouble(random.nextLong())));
            case INT32 -> to.setInt(row, special ? Integer.MIN_VALUE >> random.nextInt(32) : random.nextInt());
            case INT64, TIMESTAMP -> to.setLong(row, special ? LONGS[random.nextInt(LONGS.length)] : random.nextLong());
            case BOOL -> to.setBoolean(row, random.nextBoolean());
            case STRING -> to.setString(row, special ? TEXTS.get(random.nextInt(TEXTS.size())) : text(random));
        }
    }

    /// Of numbers that are none there is one as text.
    private static float number(float value) {
        return Float.isNaN(value) ? Float.NaN : value;
    }

    private static double number(double value) {
        return Double.isNaN(value) ? Double.NaN : value;
    }

    private static String text(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            int point = random.nextInt(4) == 0 ? random.nextInt(0x10000, 0x110000) : random.nextInt(0xD800);
            text.appendCodePoint(point);
        }
        return text.toString();
    }

    /// A value by its bits; "null" without quotes where it is missing.
    static String bits(ColumnValues values, int row) {
        if (values.isNull(row)) {
            return "null";
        }
        return switch (values.type()) {
            case FLOAT32 -> Integer.toHexString(Float.floatToRawIntBits(values.getFloat(row)));
            case FLOAT64 -> Long.toHexString(Double.doubleToRawLongBits(values.getDouble(row)));
            case INT32 -> Integer.toString(values.getInt(row));
            case INT64, TIMESTAMP -> Long.toString(values.getLong(row));
            case BOOL -> Boolean.toString(values.getBoolean(row));
            case STRING -> '\'' + values.getString(row) + '\'';
        };
    }

    /// The rows of a batch by their bits.
    static List<String> rows(TableBatch batch) {
        List<String> rows = new ArrayList<>();
        for (int row = 0; row < batch.rows(); row++) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < batch.columns().size(); i++) {
                text.append(bits(batch.values(i), row)).append(' ');
            }
            rows.add(text.toString());
        }
        return rows;
    }
}
