// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.dataset.InputColumns;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.runtime.Call;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import java.util.ArrayList;
import java.util.List;

/// Puts the rows of a table into a model's inputs.
///
/// A missing value is null where the model is asked by raw values; otherwise NaN where it takes
/// floating-point numbers and an empty text where it takes texts, as in all files of data.
///
/// Threads: one at a time.
final class InputBinding {
    private final InputColumns inputs;
    private final List<Column> columns = new ArrayList<>();
    /// For each input the places among [#columns()].
    private final int[][] places;

    /// @param names what the columns are called that the inputs were found among
    InputBinding(InputColumns inputs, List<String> names, Signature signature) {
        this.inputs = inputs;
        this.places = new int[inputs.inputs()][];
        for (int input = 0; input < places.length; input++) {
            places[input] = inputs.places(input);
            ColumnType type = type(inputs.datatype(input));
            boolean nullable = signature.inputs().get(input).optional()
                    || inputs.datatype(input).isFloating()
                    || inputs.datatype(input) == DataType.BYTES;
            for (int i = 0; i < places[input].length; i++) {
                String name = names.get(places[input][i]);
                places[input][i] = columns.size();
                columns.add(new Column(name, type, nullable));
            }
        }
    }

    /// What a column is read as for elements of a type, without a loss.
    private static ColumnType type(DataType type) {
        return switch (type) {
            case FP32 -> ColumnType.FLOAT32;
            case FP16, BF16, FP64 -> ColumnType.FLOAT64;
            case BOOL -> ColumnType.BOOL;
            // Half of the integers of 64 bits without a sign are no long.
            case BYTES, UINT64 -> ColumnType.STRING;
            default -> ColumnType.INT64;
        };
    }

    /// Whether a run takes any number of rows.
    boolean takesAnyRows() {
        return inputs.takesAnyRows();
    }

    /// The columns that have to be read, for a batch of which they are the first ones.
    List<Column> columns() {
        return columns;
    }

    /// Tells which rows have integers that an input's type does not hold.
    void check(TableBatch batch) {
        for (int input = 0; input < places.length; input++) {
            DataType type = inputs.datatype(input);
            if (type == DataType.UINT64) {
                checkUnsigned(batch, places[input]);
            }
            if (type(type) != ColumnType.INT64 || type == DataType.INT64) {
                continue;
            }
            boolean signed = type == DataType.INT8 || type == DataType.INT16 || type == DataType.INT32;
            int bits = 8 * type.byteSize() - (signed ? 1 : 0);
            long most = (1L << bits) - 1;
            long least = signed ? -most - 1 : 0;
            for (int place : places[input]) {
                check(batch, place, least, most, type);
            }
        }
    }

    private void checkUnsigned(TableBatch batch, int[] columnsOfInput) {
        for (int place : columnsOfInput) {
            ColumnValues values = batch.values(place);
            for (int row = 0; row < batch.rows(); row++) {
                if (batch.problem(row) == null && !isUnsigned(values.getString(row))) {
                    batch.problem(
                            row,
                            ", column '" + columns.get(place).name() + "': '" + values.getString(row)
                                    + "' came, expected an integer from 0 to " + Long.toUnsignedString(-1)
                                    + " (UINT64)");
                }
            }
        }
    }

    private static boolean isUnsigned(String text) {
        try {
            Long.parseUnsignedLong(text);
            return true;
        } catch (NumberFormatException _) {
            return false;
        }
    }

    private void check(TableBatch batch, int place, long least, long most, DataType type) {
        ColumnValues values = batch.values(place);
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.problem(row) == null
                    && !values.isNull(row)
                    && (values.getLong(row) < least || values.getLong(row) > most)) {
                batch.problem(
                        row,
                        ", column '" + columns.get(place).name() + "': '" + values.getLong(row) + "' came, expected an"
                                + " integer from " + least + " to " + most + " (" + type + ")");
            }
        }
    }

    /// Fills a call.
    ///
    /// @param rows the rows that are to be run
    /// @param from the first of them
    /// @param to the one behind the last
    void fill(Call call, TableBatch batch, int[] rows, int from, int to) {
        for (int input = 0; input < places.length; input++) {
            Tensor tensor = call.input(input);
            tensor.reshape(inputs.shape(input, to - from));
            int elements = places[input].length;
            for (int i = 0; i < elements; i++) {
                ColumnValues values = batch.values(places[input][i]);
                if (tensor.isNullable()) {
                    nulls(tensor, i, elements, values, rows, from, to);
                }
                switch (values.type()) {
                    case FLOAT32 -> floats(tensor, i, elements, values, rows, from, to);
                    case FLOAT64 -> reals(tensor, i, elements, values, rows, from, to);
                    case STRING -> texts(tensor, i, elements, values, rows, from, to);
                    default -> integers(tensor, i, elements, values, rows, from, to);
                }
            }
        }
    }

    private static void nulls(Tensor tensor, int first, int step, ColumnValues values, int[] rows, int from, int to) {
        long at = first;
        for (int i = from; i < to; i++, at += step) {
            tensor.setNull(at, values.isNull(rows[i]));
        }
    }

    private static void floats(Tensor tensor, int first, int step, ColumnValues values, int[] rows, int from, int to) {
        long at = first;
        for (int i = from; i < to; i++, at += step) {
            tensor.setFloat(at, values.isNull(rows[i]) ? Float.NaN : values.getFloat(rows[i]));
        }
    }

    private static void reals(Tensor tensor, int first, int step, ColumnValues values, int[] rows, int from, int to) {
        long at = first;
        for (int i = from; i < to; i++, at += step) {
            tensor.setReal(at, values.isNull(rows[i]) ? Double.NaN : values.getDouble(rows[i]));
        }
    }

    private static void texts(Tensor tensor, int first, int step, ColumnValues values, int[] rows, int from, int to) {
        int at = first;
        for (int i = from; i < to; i++, at += step) {
            if (tensor.datatype() == DataType.UINT64) {
                tensor.setLong(at, Long.parseUnsignedLong(values.getString(rows[i])));
            } else {
                tensor.setString(at, values.isNull(rows[i]) ? "" : values.getString(rows[i]));
            }
        }
    }

    private static void integers(
            Tensor tensor, int first, int step, ColumnValues values, int[] rows, int from, int to) {
        boolean truths = values.type() == ColumnType.BOOL;
        long at = first;
        for (int i = from; i < to; i++, at += step) {
            if (values.isNull(rows[i])) {
                continue;
            }
            tensor.setLong(at, truths ? (values.getBoolean(rows[i]) ? 1 : 0) : values.getLong(rows[i]));
        }
    }
}
