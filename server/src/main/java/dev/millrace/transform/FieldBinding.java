// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.dataset.InvalidDataException;
import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import dev.millrace.table.Column;
import dev.millrace.table.ColumnType;
import dev.millrace.table.ColumnValues;
import dev.millrace.table.TableBatch;
import dev.millrace.table.TableFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Which columns of a table are the raw values of a plan, and how they get into its rows.
///
/// Threads: immutable, any.
final class FieldBinding {
    /// The column of the request's time, if nobody says another.
    static final String REQUEST_TIME = "request_time";

    private final List<Column> columns = new ArrayList<>();
    private final List<String> absent = new ArrayList<>();
    /// For each column the field that it is; the time, if it is there, comes after them.
    private final int[] fields;

    private final boolean hasTime;

    private FieldBinding(FeaturePlan plan, TableFile data, String timeColumn, boolean needsTime) throws IOException {
        int[] found = new int[plan.fieldCount()];
        int count = 0;
        for (int field = 0; field < found.length; field++) {
            String name = plan.fieldName(field);
            if (data.has(name)) {
                found[count++] = field;
                columns.add(Column.nullable(name, type(plan.type(field), data, name)));
                continue;
            }
            if (isRequired(plan, name)) {
                throw new InvalidDataException(
                        data.file(),
                        "there is no column '" + name + "', which "
                                + plan.spec().name() + " requires as "
                                + plan.type(field).word());
            }
            absent.add(name);
            if (data.mayHaveMore()) {
                found[count++] = field;
                columns.add(Column.nullable(name, type(plan.type(field), data, name)));
            }
        }
        fields = Arrays.copyOf(found, count);
        hasTime = timeColumn != null || needsTime;
        if (hasTime) {
            addTime(plan, data, timeColumn == null ? REQUEST_TIME : timeColumn);
        }
    }

    /// Finds the columns of a plan's fields.
    ///
    /// @param timeColumn the one of the request's time; null for `request_time`
    /// @param needsTime whether it has to be there
    /// @throws InvalidDataException if a column is not there that has to be, or is none of values
    static FieldBinding of(FeaturePlan plan, TableFile data, String timeColumn, boolean needsTime) throws IOException {
        return new FieldBinding(plan, data, timeColumn, needsTime);
    }

    private void addTime(FeaturePlan plan, TableFile data, String name) throws IOException {
        if (!data.has(name)) {
            throw new InvalidDataException(
                    data.file(),
                    "there is no column '" + name + "' with the time of the request, which "
                            + plan.spec().name() + " depends on; --time-column says another");
        }
        columns.add(Column.of(name, type(ValueType.TIMESTAMP, data, name)));
    }

    private static boolean isRequired(FeaturePlan plan, String name) {
        List<FieldSpec> request = plan.spec().request();
        return request.stream()
                .anyMatch(field -> field.required() && field.name().equals(name));
    }

    /// What a column is read as; whole numbers are times, too, in microseconds.
    private static ColumnType type(ValueType type, TableFile data, String name) throws IOException {
        if (type != ValueType.TIMESTAMP || !data.has(name)) {
            return ColumnType.valueOf(type.name());
        }
        ColumnType own = data.column(name).type();
        return own == ColumnType.INT64 || own == ColumnType.INT32 ? ColumnType.INT64 : ColumnType.TIMESTAMP;
    }

    /// What has to be read, for a batch of which these are the first columns.
    List<Column> columns() {
        return columns;
    }

    /// The fields that the table, as far as it was looked at, has no column of.
    List<String> absent() {
        return absent;
    }

    /// The time of a row's request, in microseconds since 1970; 0 if it has none.
    long time(TableBatch batch, int row) {
        return hasTime ? batch.values(fields.length).getLong(row) : 0;
    }

    /// Begins a plan's row with the values of a table's.
    ///
    /// @return the time of the request, in microseconds since 1970; 0 if it has none
    /// @throws IllegalArgumentException if a value is none of its field's; the message names it
    long fill(FeatureRow to, TableBatch batch, int row) {
        long time = time(batch, row);
        to.begin(time);
        for (int i = 0; i < fields.length; i++) {
            ColumnValues values = batch.values(i);
            if (values.isNull(row)) {
                continue;
            }
            switch (values.type()) {
                case FLOAT32 -> to.set(fields[i], (double) values.getFloat(row));
                case FLOAT64 -> to.set(fields[i], values.getDouble(row));
                case INT32 -> to.set(fields[i], (long) values.getInt(row));
                case INT64, TIMESTAMP -> to.set(fields[i], values.getLong(row));
                case BOOL -> to.set(fields[i], values.getBoolean(row));
                case STRING -> to.set(fields[i], values.getString(row));
            }
        }
        return time;
    }
}
