// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.hardwood.metadata.LogicalType;
import dev.hardwood.metadata.PhysicalType;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.SchemaNode;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.util.Optional;

/// What a column of a Parquet file holds, and how its values become elements. What does not fit is an
/// [IllegalArgumentException], as by [Elements]. Threads: stateless.
enum ParquetValue {
    BOOLEAN,
    INT,
    UNSIGNED_INT,
    LONG,
    UNSIGNED_LONG,
    FLOAT,
    DOUBLE,
    DECIMAL,
    TEXT;

    /// The kind of a column, if it is one that can be used.
    static Optional<ParquetValue> of(SchemaNode node) {
        if (!(node instanceof SchemaNode.PrimitiveNode column) || column.maxRepetitionLevel() > 0) {
            return Optional.empty();
        }
        LogicalType logical = column.logicalType();
        if (logical instanceof LogicalType.DecimalType) {
            return Optional.of(DECIMAL);
        }
        if (logical instanceof LogicalType.Float16Type) {
            return Optional.of(FLOAT);
        }
        if (logical instanceof LogicalType.StringType || logical instanceof LogicalType.EnumType) {
            return Optional.of(TEXT);
        }
        boolean unsigned = logical instanceof LogicalType.IntType integer && !integer.isSigned();
        boolean plain = logical == null || logical instanceof LogicalType.IntType;
        return plain ? Optional.ofNullable(of(column.type(), unsigned)) : Optional.empty();
    }

    private static ParquetValue of(PhysicalType type, boolean unsigned) {
        return switch (type) {
            case BOOLEAN -> BOOLEAN;
            case INT32 -> unsigned ? UNSIGNED_INT : INT;
            case INT64 -> unsigned ? UNSIGNED_LONG : LONG;
            case FLOAT -> FLOAT;
            case DOUBLE -> DOUBLE;
            case BYTE_ARRAY -> TEXT;
            case INT96, FIXED_LEN_BYTE_ARRAY -> null;
        };
    }

    /// The type of a column in the format's words.
    static String describe(SchemaNode node) {
        if (!(node instanceof SchemaNode.PrimitiveNode column)) {
            return "nested";
        }
        return column.logicalType() == null
                ? column.type().name()
                : column.logicalType().toString();
    }

    /// Sets an element to the value of a row. One that is missing is NaN where there is one.
    void set(Tensor tensor, long index, RowReader row, int field) {
        if (row.isNull(field)) {
            Elements.set(tensor, index, "");
            return;
        }
        switch (this) {
            case BOOLEAN -> Elements.set(tensor, index, row.getBoolean(field) ? 1L : 0L);
            case INT -> Elements.set(tensor, index, (long) row.getInt(field));
            case UNSIGNED_INT -> Elements.set(tensor, index, Integer.toUnsignedLong(row.getInt(field)));
            case LONG -> Elements.set(tensor, index, row.getLong(field));
            case FLOAT -> setFloat(tensor, index, row.getFloat(field));
            case DOUBLE -> Elements.set(tensor, index, row.getDouble(field));
            case UNSIGNED_LONG, DECIMAL, TEXT -> setText(tensor, index, text(row, field));
        }
    }

    private static void setFloat(Tensor tensor, long index, float value) {
        if (tensor.datatype() == DataType.FP32) {
            tensor.setFloat(index, value);
        } else {
            Elements.set(tensor, index, (double) value);
        }
    }

    private void setText(Tensor tensor, long index, String text) {
        if (this != TEXT && tensor.datatype() == DataType.BYTES) {
            throw Elements.wrong(text, "a text");
        }
        Elements.set(tensor, index, text);
    }

    private String text(RowReader row, int field) {
        return switch (this) {
            case UNSIGNED_LONG -> Long.toUnsignedString(row.getLong(field));
            case DECIMAL -> row.getDecimal(field).toPlainString();
            default -> row.getString(field);
        };
    }

    /// The value of a row, which is not missing, as a text that is read back as the same value.
    String asText(RowReader row, int field) {
        return switch (this) {
            case BOOLEAN -> Boolean.toString(row.getBoolean(field));
            case INT -> Integer.toString(row.getInt(field));
            case UNSIGNED_INT -> Integer.toUnsignedString(row.getInt(field));
            case LONG -> Long.toString(row.getLong(field));
            // With all digits of the double that it is.
            case FLOAT -> Double.toString(row.getFloat(field));
            case DOUBLE -> Double.toString(row.getDouble(field));
            case UNSIGNED_LONG, DECIMAL, TEXT -> text(row, field);
        };
    }

    /// The value of a row as a label.
    double label(RowReader row, int field) {
        if (row.isNull(field)) {
            return Elements.label("");
        }
        return switch (this) {
            case BOOLEAN -> row.getBoolean(field) ? 1 : 0;
            case INT -> row.getInt(field);
            case UNSIGNED_INT -> Integer.toUnsignedLong(row.getInt(field));
            case LONG -> row.getLong(field);
            case FLOAT -> Elements.label(Float.toString(row.getFloat(field)));
            case DOUBLE -> Elements.label(Double.toString(row.getDouble(field)));
            case UNSIGNED_LONG, DECIMAL, TEXT -> Elements.label(text(row, field));
        };
    }
}
