// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.Field;
import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import java.util.List;

/// A row, or the deletion of one, that fits its view: writing it cannot fail for what is in it.
/// Threads: one; nobody else holds the values.
///
/// @param key Long or String, as the view's
/// @param eventTime in microseconds since 1970
/// @param availabilityTime in microseconds since 1970
/// @param values of the view's fields in their order, null for null; null as a whole for a deletion
record UpdateRow(Object key, long eventTime, long availabilityTime, Object[] values) {
    void addTo(WriteBatch batch, View view) {
        if (key instanceof Long number) {
            if (values == null) {
                batch.delete(view, number, eventTime, availabilityTime);
            } else {
                batch.row(view, number, eventTime, availabilityTime);
            }
        } else if (values == null) {
            batch.delete(view, (String) key, eventTime, availabilityTime);
        } else {
            batch.row(view, (String) key, eventTime, availabilityTime);
        }
        List<Field> fields = view.schema().fields();
        for (int i = 0; values != null && i < values.length; i++) {
            put(batch, i, values[i], fields.get(i));
        }
    }

    private static void put(WriteBatch batch, int index, Object value, Field field) {
        switch (value) {
            case null -> {
                // A field that is not put is null.
            }
            case Double number -> batch.putDouble(index, number);
            case Float number -> batch.putFloat(index, number);
            case Long number -> batch.putLong(index, number);
            case Integer number -> batch.putInt(index, number);
            case Boolean truth -> batch.putBoolean(index, truth);
            case String text -> batch.putString(index, text);
            default -> throw new IllegalStateException(value.getClass() + " for " + field);
        }
    }
}
