// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.util.Arrays;

/// The values that a column has in a batch of rows, as an array of primitives, and which of them
/// are missing. What a missing one's element is means nothing.
///
/// Threads: one at a time. Getters and setters are for the type that their names say.
public final class ColumnValues {
    private final ColumnType type;
    private final int capacity;
    private final float[] floats;
    private final double[] doubles;
    private final int[] ints;
    private final long[] longs;
    private final boolean[] booleans;
    private final String[] strings;
    private final long[] nulls;
    private boolean anyNull;

    /// @param capacity how many rows there may be
    public ColumnValues(ColumnType type, int capacity) {
        this.type = type;
        this.capacity = capacity;
        this.floats = type == ColumnType.FLOAT32 ? new float[capacity] : null;
        this.doubles = type == ColumnType.FLOAT64 ? new double[capacity] : null;
        this.ints = type == ColumnType.INT32 ? new int[capacity] : null;
        this.longs = type == ColumnType.INT64 || type == ColumnType.TIMESTAMP ? new long[capacity] : null;
        this.booleans = type == ColumnType.BOOL ? new boolean[capacity] : null;
        this.strings = type == ColumnType.STRING ? new String[capacity] : null;
        this.nulls = new long[(capacity + 63) >>> 6];
    }

    /// What the values are.
    public ColumnType type() {
        return type;
    }

    /// How many there may be.
    public int capacity() {
        return capacity;
    }

    /// Forgets which values are missing, before the rows are filled anew.
    public void clear() {
        if (anyNull) {
            Arrays.fill(nulls, 0);
            anyNull = false;
        }
    }

    /// Whether the value of a row is missing.
    public boolean isNull(int row) {
        return anyNull && (nulls[row >>> 6] & 1L << row) != 0;
    }

    /// Whether any value is missing.
    public boolean hasNulls() {
        return anyNull;
    }

    /// Says that the value of a row is missing.
    public void setNull(int row) {
        nulls[row >>> 6] |= 1L << row;
        anyNull = true;
    }

    /// The value of a row, FLOAT32.
    public float getFloat(int row) {
        return floats[row];
    }

    /// Sets the value of a row, FLOAT32.
    public void setFloat(int row, float value) {
        floats[row] = value;
    }

    /// The value of a row, FLOAT64.
    public double getDouble(int row) {
        return doubles[row];
    }

    /// Sets the value of a row, FLOAT64.
    public void setDouble(int row, double value) {
        doubles[row] = value;
    }

    /// The value of a row, INT32.
    public int getInt(int row) {
        return ints[row];
    }

    /// Sets the value of a row, INT32.
    public void setInt(int row, int value) {
        ints[row] = value;
    }

    /// The value of a row, INT64; of TIMESTAMP the microseconds.
    public long getLong(int row) {
        return longs[row];
    }

    /// Sets the value of a row, INT64; of TIMESTAMP the microseconds.
    public void setLong(int row, long value) {
        longs[row] = value;
    }

    /// The value of a row, BOOL.
    public boolean getBoolean(int row) {
        return booleans[row];
    }

    /// Sets the value of a row, BOOL.
    public void setBoolean(int row, boolean value) {
        booleans[row] = value;
    }

    /// The value of a row, STRING.
    public String getString(int row) {
        return strings[row];
    }

    /// Sets the value of a row, STRING.
    public void setString(int row, String value) {
        strings[row] = value;
    }

    /// Puts a row's value in another row's place, missing or not.
    void move(int from, int to) {
        switch (type) {
            case FLOAT32 -> floats[to] = floats[from];
            case FLOAT64 -> doubles[to] = doubles[from];
            case INT32 -> ints[to] = ints[from];
            case INT64, TIMESTAMP -> longs[to] = longs[from];
            case BOOL -> booleans[to] = booleans[from];
            case STRING -> strings[to] = strings[from];
        }
        if (isNull(from)) {
            setNull(to);
        } else if (anyNull) {
            nulls[to >>> 6] &= ~(1L << to);
        }
    }
}
