// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.store.Field;
import dev.millrace.store.ViewSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The features of one view for all rows of a request: what was asked for, and, once it was read,
/// values, statuses and times. It knows neither who reads them nor how they are written.
///
/// Threads: one at a time; whoever reads beside the one that asked hands it over.
final class FeatureColumns {
    /// The time of a row that is not there.
    private static final long NEVER = Long.MIN_VALUE;

    /// Null if the store knows no types.
    private final ViewSchema schema;
    private final long maxAgeMicros;
    private final List<String> names = new ArrayList<>();
    private final List<Field> fields = new ArrayList<>();
    private final List<FeatureColumn> columns = new ArrayList<>();
    private long nowMicros;
    private long[] times;

    /// @param schema null if the store knows no types
    /// @param maxAgeMicros how old a row may be
    FeatureColumns(ViewSchema schema, long maxAgeMicros) {
        this.schema = schema;
        this.maxAgeMicros = maxAgeMicros;
    }

    ViewSchema schema() {
        return schema;
    }

    /// Adds a feature; its place.
    ///
    /// @param field one of the schema's, if there is one
    int add(String field) {
        names.add(field);
        if (schema != null) {
            fields.add(schema.fields().get(schema.index(field)));
        }
        return names.size() - 1;
    }

    /// The names of what was added, by place.
    List<String> names() {
        return names;
    }

    /// What was added, by place, if there is a schema.
    List<Field> fields() {
        return fields;
    }

    /// How many bytes the texts of a row have at most.
    long textBytes() {
        return fields.stream().mapToLong(Field::maxBytes).sum();
    }

    /// Makes room for the rows of a request; none of them is found yet.
    ///
    /// @param now what ages are counted to, in microseconds since 1970
    void begin(int rows, long now) {
        nowMicros = now;
        times = new long[rows];
        Arrays.fill(times, NEVER);
        columns.clear();
        for (int i = 0; i < names.size(); i++) {
            columns.add(new FeatureColumn(schema == null ? null : fields.get(i), rows));
        }
    }

    int rows() {
        return times.length;
    }

    /// The row was found, and this is its event time in microseconds since 1970.
    void found(int row, long eventTime) {
        times[row] = eventTime;
    }

    /// Values of a feature.
    ///
    /// @param place from [#add(String)]
    FeatureColumn column(int place) {
        return columns.get(place);
    }

    /// Whether there is a row, so that it has a time.
    boolean isFound(int row) {
        return times[row] != NEVER;
    }

    /// The event time of a row that was found, in microseconds since 1970.
    long time(int row) {
        return times[row];
    }

    /// What is known of a value.
    FieldStatus status(int place, int row) {
        FeatureColumn column = columns.get(place);
        if (column.isMissing(row)) {
            return FieldStatus.NOT_FOUND;
        }
        if (isOld(row)) {
            return FieldStatus.OUTSIDE_MAX_AGE;
        }
        return column.isPresent(row) ? FieldStatus.PRESENT : FieldStatus.NULL_VALUE;
    }

    private boolean isOld(int row) {
        return times[row] < nowMicros && nowMicros - times[row] > maxAgeMicros;
    }
}
