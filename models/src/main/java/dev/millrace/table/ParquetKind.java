// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import dev.hardwood.metadata.LogicalType;
import dev.hardwood.metadata.PhysicalType;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.SchemaNode;
import java.time.ZoneOffset;
import java.util.Optional;

/// What a column of a Parquet file holds, and how its values become those of a table's column. What
/// does not fit is an [IllegalArgumentException]. Threads: stateless.
enum ParquetKind {
    BOOLEAN(ColumnType.BOOL),
    INT(ColumnType.INT32),
    UNSIGNED_INT(ColumnType.INT64),
    LONG(ColumnType.INT64),
    UNSIGNED_LONG(ColumnType.STRING),
    FLOAT(ColumnType.FLOAT32),
    DOUBLE(ColumnType.FLOAT64),
    DECIMAL(ColumnType.FLOAT64),
    MICROS(ColumnType.TIMESTAMP),
    INSTANT(ColumnType.TIMESTAMP),
    LOCAL(ColumnType.TIMESTAMP),
    DATE(ColumnType.TIMESTAMP),
    TEXT(ColumnType.STRING);

    private final ColumnType type;

    ParquetKind(ColumnType type) {
        this.type = type;
    }

    /// The column's type if nothing else is asked for.
    ColumnType type() {
        return type;
    }

    /// The kind of a column, if it is one that can be used.
    static Optional<ParquetKind> of(SchemaNode node) {
        if (!(node instanceof SchemaNode.PrimitiveNode column) || column.maxRepetitionLevel() > 0) {
            return Optional.empty();
        }
        return Optional.ofNullable(
                switch (column.logicalType()) {
                    case null -> of(column.type(), false);
                    case LogicalType.DecimalType _ -> DECIMAL;
                    case LogicalType.Float16Type _ -> FLOAT;
                    case LogicalType.StringType _ -> TEXT;
                    case LogicalType.EnumType _ -> TEXT;
                    case LogicalType.DateType _ -> DATE;
                    case LogicalType.TimestampType time -> of(time);
                    case LogicalType.IntType integer -> of(column.type(), !integer.isSigned());
                    default -> null;
                });
    }

    private static ParquetKind of(LogicalType.TimestampType time) {
        if (time.unit() == LogicalType.TimeUnit.MICROS) {
            return MICROS;
        }
        return time.isAdjustedToUTC() ? INSTANT : LOCAL;
    }

    private static ParquetKind of(PhysicalType type, boolean unsigned) {
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

    /// Puts the value of a row, which is there.
    void put(ColumnValues to, int at, RowReader row, int field, Cells cells) {
        switch (this) {
            case BOOLEAN -> Cells.truth(to, at, row.getBoolean(field));
            case INT -> Cells.integer(to, at, row.getInt(field));
            case UNSIGNED_INT -> Cells.integer(to, at, Integer.toUnsignedLong(row.getInt(field)));
            case LONG -> Cells.integer(to, at, row.getLong(field));
            case FLOAT -> Cells.real(to, at, row.getFloat(field));
            case DOUBLE -> Cells.real(to, at, row.getDouble(field));
            case MICROS -> Cells.micros(to, at, row.getLong(field));
            case INSTANT -> Cells.time(to, at, row.getTimestamp(field));
            case LOCAL -> Cells.time(to, at, row.getLocalTimestamp(field).toInstant(ZoneOffset.UTC));
            case DATE -> Cells.time(to, at, row.getDate(field).atStartOfDay().toInstant(ZoneOffset.UTC));
            case TEXT -> {
                if (to.type() == ColumnType.STRING) {
                    to.setString(at, row.getString(field));
                } else {
                    text(to, at, row.getString(field), cells);
                }
            }
            case DECIMAL -> text(to, at, row.getDecimal(field).toPlainString(), cells);
            case UNSIGNED_LONG -> text(to, at, Long.toUnsignedString(row.getLong(field)), cells);
        }
    }

    private static void text(ColumnValues to, int at, String value, Cells cells) {
        cells.text(to, at, value.toCharArray(), 0, value.length());
    }
}
