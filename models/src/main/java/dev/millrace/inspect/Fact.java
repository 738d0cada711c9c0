// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import java.util.Arrays;

/// What is known of a value without running anything. Immutable, its arrays are not to be changed.
///
/// @param shape the dimensions, or null if they are not known; unlike in files, each is
/// @param values the elements of a small tensor of whole numbers, such as a shape, or null
record Fact(long[] shape, long[] values) {
    static final Fact UNKNOWN = new Fact(null, null);

    /// More are no shape.
    static final int MAX_VALUES = 1024;

    /// No kernel takes more dimensions.
    private static final int MAX_RANK = 64;

    static Fact of(long... shape) {
        return new Fact(shape, null);
    }

    /// This, as far as it is worth to be kept: what it takes of the heap is bounded.
    Fact bounded() {
        if (shape == null || shape.length > MAX_RANK) {
            return UNKNOWN;
        }
        return values != null && values.length > MAX_VALUES ? of(shape) : this;
    }

    /// What its elements and dimensions take of the heap.
    long heapBytes() {
        return Long.BYTES * ((shape == null ? 0L : shape.length) + (values == null ? 0L : values.length));
    }

    boolean isKnown() {
        return shape != null;
    }

    /// How many elements it has.
    ///
    /// @throws ArithmeticException if that is more than can be counted
    long elements() {
        return product(shape, 0, shape.length);
    }

    int rank() {
        return shape.length;
    }

    /// The index of an axis, which may be counted from the end.
    ///
    /// @throws IndexOutOfBoundsException if there is none
    int axis(long axis) {
        long index = axis < 0 ? axis + shape.length : axis;
        if (index < 0 || index >= shape.length) {
            throw new IndexOutOfBoundsException("no axis " + axis);
        }
        return (int) index;
    }

    static long product(long[] dims, int from, int to) {
        long product = 1;
        for (int i = from; i < to; i++) {
            product = Math.multiplyExact(product, dims[i]);
        }
        return product;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Fact fact && Arrays.equals(shape, fact.shape) && Arrays.equals(values, fact.values);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(shape) + Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return Arrays.toString(shape) + (values == null ? "" : " " + Arrays.toString(values));
    }
}
