// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.DataType;
import dev.millrace.memory.OffHeapRegion;
import java.util.List;
import java.util.Objects;

/// A model input or output that lies as consecutive rows in a region.
///
/// @param name the model's name for it
/// @param datatype the element type, a numeric one
/// @param rowShape the shape of one row, all dimensions fixed
/// @param region the memory; owned by whoever made it, and kept open longer than any runner over it
public record RowTensor(String name, DataType datatype, List<Long> rowShape, OffHeapRegion region) {
    /// Checks that the rows have a fixed size.
    public RowTensor {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(region, "region");
        rowShape = List.copyOf(rowShape);
        if (!datatype.isNumeric() || rowShape.stream().anyMatch(dim -> dim < 1)) {
            throw new IllegalArgumentException(name + ": rows of " + datatype + rowShape + " have no fixed size");
        }
    }

    /// The bytes of one row.
    public long rowBytes() {
        return rowShape.stream().mapToLong(Long::longValue).reduce(datatype.byteSize(), Math::multiplyExact);
    }
}
