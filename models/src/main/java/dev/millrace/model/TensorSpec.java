// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.DataType;
import java.util.List;
import java.util.Objects;

/// A tensor that a model takes or gives.
///
/// @param name the name that requests and responses use
/// @param datatype the element type
/// @param shape the dimensions, -1 where any size goes; empty for a scalar
/// @param optional whether a request may leave it out, and its elements may be null
public record TensorSpec(String name, DataType datatype, List<Long> shape, boolean optional) {
    /// One that every request or answer has.
    public TensorSpec(String name, DataType datatype, List<Long> shape) {
        this(name, datatype, shape, false);
    }

    /// Checks that nothing is null and makes the shape immutable.
    public TensorSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(datatype, "datatype");
        shape = List.copyOf(shape);
    }

    /// The dimensions as an array of the caller's own.
    public long[] dims() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    /// The number of elements, or -1 where a dimension is variable.
    public long elementCount() {
        return shape.contains(-1L) ? -1 : shape.stream().reduce(1L, Math::multiplyExact);
    }
}
