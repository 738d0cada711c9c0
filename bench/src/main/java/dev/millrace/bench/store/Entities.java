// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.store;

import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.Row;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;

/// What is in the store: ten doubles for each entity, which follow from its key and its event time,
/// so that every row that is read can be checked. Stateless.
final class Entities {
    static final int FIELDS = 10;

    static final ViewSchema SCHEMA = schema();

    private Entities() {}

    private static ViewSchema schema() {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < FIELDS; i++) {
            fields.add(Field.of("f" + i, FieldType.FLOAT64));
        }
        return new ViewSchema("entities", Field.of("id", FieldType.INT64), fields);
    }

    /// The key of an entity: they do not follow one another.
    static long key(long entity) {
        return entity * 0x9E3779B97F4A7C15L;
    }

    static void add(WriteBatch batch, View view, long entity, long eventTime) {
        long key = key(entity);
        batch.row(view, key, eventTime, eventTime);
        for (int i = 0; i < FIELDS; i++) {
            batch.putDouble(i, value(key, eventTime, i));
        }
    }

    private static double value(long key, long eventTime, int field) {
        return (double) (key >>> 20) + eventTime + field;
    }

    /// Whether a row is the entity's, and of one update.
    static boolean isRight(long entity, Row row) {
        long key = key(entity);
        long eventTime = row.eventTime();
        boolean right = row.availabilityTime() == eventTime;
        for (int i = 0; i < FIELDS; i++) {
            right &= row.getDouble(i) == value(key, eventTime, i);
        }
        return right;
    }
}
