// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.DataType;
import dev.millrace.model.Signature;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Which columns of a table are the elements of a model's inputs, as in all files of data: an input
/// of one element is the column of its name; one of n elements is the columns `name_0` to
/// `name_(n-1)`. Inputs without columns of their names take the columns that are left in order, if
/// these are just as many.
///
/// Threads: immutable, any.
public final class InputColumns {
    private final Columns columns;

    private InputColumns(Columns columns) {
        this.columns = columns;
    }

    /// Finds the columns.
    ///
    /// @param file where they are, for messages
    /// @param names what they are called
    /// @param apart whether rows depend on each other, so that each row is a request of its own
    /// @throws InvalidDataException if they are not what the model takes
    public static InputColumns of(Path file, List<String> names, Signature signature, boolean apart)
            throws InvalidDataException {
        return new InputColumns(Columns.of(file, names, signature, Optional.empty(), apart));
    }

    /// How many inputs there are.
    public int inputs() {
        return columns.inputs();
    }

    /// The places of an input's columns among the names, in the order of its elements.
    public int[] places(int input) {
        return columns.sources(input).clone();
    }

    /// The element type of an input.
    public DataType datatype(int input) {
        return columns.datatype(input);
    }

    /// How many rows a run takes where so many are wanted: other models take one, or a number that
    /// is fixed.
    public int rows(int wanted) {
        return columns.shapes().rows(wanted);
    }

    /// Whether a run takes any number of rows.
    public boolean takesAnyRows() {
        return columns.shapes().batch() == RowShapes.ANY;
    }

    /// The shape of an input that has so many rows.
    public long[] shape(int input, int rows) {
        return columns.shapes().shape(columns.row(input), rows);
    }
}
