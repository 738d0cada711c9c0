// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import java.util.ArrayList;
import java.util.List;

/// A model's outputs as columns: `name` for one element in a row, `name_0` to `name_(n-1)` for n,
/// or the keys of a map in place of the numbers.
///
/// Threads: immutable, any.
final class OutputColumns {
    private final List<Column> columns = new ArrayList<>();
    /// How many elements a row of each output has.
    private final int[] elements;
    private final List<TensorSpec> outputs;

    private OutputColumns(Signature signature) {
        outputs = signature.outputs();
        elements = new int[outputs.size()];
    }

    /// Of the answer that a call got.
    ///
    /// @param rows how many rows that has
    /// @param nullable whether answers may be missing
    static OutputColumns of(Call call, int rows, boolean nullable) {
        OutputColumns all = new OutputColumns(call.signature());
        for (int output = 0; output < all.elements.length; output++) {
            Tensor tensor = call.output(output);
            all.elements[output] = perRow(tensor.elementCount(), rows, all.outputs.get(output));
            all.add(output, tensor.keys(), nullable);
        }
        return all;
    }

    /// Of a model that was not asked; null if it leaves open how many elements there are.
    static OutputColumns of(Signature signature, boolean nullable) {
        OutputColumns all = new OutputColumns(signature);
        for (int output = 0; output < all.elements.length; output++) {
            TensorSpec spec = all.outputs.get(output);
            long count = spec.shape().stream().skip(1).reduce(1L, Math::multiplyExact);
            if (spec.shape().isEmpty() || spec.shape().getFirst() != -1 || count < 0) {
                return null;
            }
            all.elements[output] = Math.toIntExact(count);
            all.add(output, List.of(), nullable);
        }
        return all;
    }

    private static int perRow(long count, int rows, TensorSpec spec) {
        if (count % rows != 0) {
            throw new IllegalArgumentException("output '" + spec.name() + "' has " + count + " elements for " + rows
                    + " rows, expected as many for each");
        }
        return Math.toIntExact(count / rows);
    }

    private void add(int output, List<?> keys, boolean nullable) {
        String name = outputs.get(output).name();
        ColumnType type = type(outputs.get(output).datatype());
        if (elements[output] == 1 && keys.isEmpty()) {
            columns.add(new Column(name, type, nullable));
            return;
        }
        for (int i = 0; i < elements[output]; i++) {
            Object key = keys.size() == elements[output] ? keys.get(i) : i;
            columns.add(new Column(name + "_" + key, type, nullable));
        }
    }

    private static ColumnType type(DataType type) {
        return switch (type) {
            case FP16, BF16, FP32 -> ColumnType.FLOAT32;
            case FP64 -> ColumnType.FLOAT64;
            case BOOL -> ColumnType.BOOL;
            case INT8, INT16, INT32, UINT8, UINT16 -> ColumnType.INT32;
            case UINT32, INT64 -> ColumnType.INT64;
            // Half of its values are no long.
            case UINT64, BYTES -> ColumnType.STRING;
        };
    }

    /// The columns.
    List<Column> columns() {
        return columns;
    }

    /// Copies the answer of a call.
    ///
    /// @param rows which rows it is for
    /// @param from the first of them
    /// @param to the one behind the last
    /// @throws IllegalArgumentException if it has other elements than answers had before
    void copy(Call call, List<ColumnValues> values, int[] rows, int from, int to) {
        int column = 0;
        for (int output = 0; output < elements.length; output++) {
            Tensor tensor = call.output(output);
            int step = perRow(tensor.elementCount(), to - from, outputs.get(output));
            if (step != elements[output]) {
                throw new IllegalArgumentException(
                        "output '" + outputs.get(output).name() + "' has " + step + " elements in a row, expected "
                                + elements[output] + " as in the rows before");
            }
            for (int i = 0; i < step; i++) {
                ColumnValues target = values.get(column++);
                long at = i;
                for (int row = from; row < to; row++, at += step) {
                    copy(tensor, at, target, rows[row]);
                }
            }
        }
    }

    private static void copy(Tensor from, long at, ColumnValues to, int row) {
        switch (from.datatype()) {
            case FP32 -> to.setFloat(row, from.getFloat(at));
            case FP16, BF16 -> to.setFloat(row, (float) from.getReal(at));
            case FP64 -> to.setDouble(row, from.getDouble(at));
            case BOOL -> to.setBoolean(row, from.getLong(at) != 0);
            case INT8, INT16, INT32, UINT8, UINT16 -> to.setInt(row, (int) from.getLong(at));
            case UINT32, INT64 -> to.setLong(row, from.getLong(at));
            case UINT64 -> to.setString(row, Long.toUnsignedString(from.getLong(at)));
            case BYTES -> to.setString(row, from.getString(Math.toIntExact(at)));
        }
    }
}
