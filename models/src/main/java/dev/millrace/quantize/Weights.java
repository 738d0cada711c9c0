// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

/// A constant tensor of floats.
///
/// @param dims its shape
/// @param values its elements, row by row
@SuppressWarnings("ArrayRecordComponent")
record Weights(long[] dims, float[] values) {
    /// Of all elements.
    Range range() {
        return Range.of(values);
    }

    /// Of one channel.
    Range range(int axis, int channel) {
        int run = run(axis);
        int stride = Math.toIntExact(run * dims[axis]);
        return Range.of(values, channel * run, stride, stride == 0 ? 0 : values.length / stride, run);
    }

    /// How many elements of a channel follow one another.
    int run(int axis) {
        long run = 1;
        for (int i = axis + 1; i < dims.length; i++) {
            run *= dims[i];
        }
        return Math.toIntExact(run);
    }

    /// Rows and columns exchanged, of a matrix.
    Weights transposed() {
        int rows = Math.toIntExact(dims[0]);
        int columns = Math.toIntExact(dims[1]);
        float[] other = new float[values.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                other[column * rows + row] = values[row * columns + column];
            }
        }
        return new Weights(new long[] {columns, rows}, other);
    }
}
