// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// Rows of floats of the same length. Threads: any; it does not change.
public final class Table {
    private final int width;
    private final float[] values;

    /// @param values all rows, one after the other, not copied
    Table(int width, float[] values) {
        this.width = width;
        this.values = values;
    }

    /// How many rows there are.
    public int rows() {
        return values.length / width;
    }

    /// How many numbers a row has.
    public int width() {
        return width;
    }

    /// One number.
    public float value(int row, int column) {
        return values[row * width + column];
    }
}
