// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.DataType;
import java.util.List;
import java.util.Objects;

/// An input or output as the model file declares it.
///
/// @param name the value's name
/// @param kind what kind of value it is
/// @param datatype the element type; for maps and sequences that of their values
/// @param shape the dimensions, -1 where variable; empty for a scalar and for values other than tensors
/// @param dimNames the names of symbolic dimensions, empty strings elsewhere
public record ValueInfo(String name, Kind kind, DataType datatype, List<Long> shape, List<String> dimNames) {
    /// Kinds of values.
    public enum Kind {
        TENSOR,
        SEQUENCE_OF_TENSORS,
        SEQUENCE_OF_MAPS,
        MAP
    }

    /// Checks that nothing is null and makes the lists immutable.
    public ValueInfo {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(datatype, "datatype");
        shape = List.copyOf(shape);
        dimNames = List.copyOf(dimNames);
    }
}
