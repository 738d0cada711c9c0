// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Schemas and rows for tests. A row's fields all follow from its key and its event time, so that a
/// row which is made of two is noticed.
final class Samples {
    /// A field of each type, keys are strings.
    static final ViewSchema EVERY = new ViewSchema(
            "every",
            Field.string("customer", 24),
            List.of(
                    Field.of("flag", FieldType.BOOL),
                    Field.string("country", 3),
                    Field.of("ratio", FieldType.FLOAT32),
                    Field.of("amount", FieldType.FLOAT64),
                    Field.of("count", FieldType.INT64),
                    Field.of("rank", FieldType.INT32),
                    Field.string("note", 40),
                    Field.of("since", FieldType.TIMESTAMP)));

    /// Ten numbers, keys are integers.
    static final ViewSchema TEN = ten("ten");

    private Samples() {}

    static ViewSchema ten(String name) {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            fields.add(Field.of("f" + i, FieldType.FLOAT64));
        }
        return new ViewSchema(name, Field.of("id", FieldType.INT64), fields);
    }

    /// The value that field `i` of [#TEN] has.
    static double value(long key, long eventTime, int field) {
        return key * 31.0 + eventTime * 7.0 + field;
    }

    static void addTen(WriteBatch batch, View view, long key, long eventTime) {
        batch.row(view, key, eventTime, eventTime + 1);
        for (int i = 0; i < 10; i++) {
            batch.putDouble(i, value(key, eventTime, i));
        }
    }

    /// What is wrong with a row of [#TEN]; empty if nothing is.
    static String problem(long key, Row row) {
        long eventTime = row.eventTime();
        if (row.availabilityTime() != eventTime + 1) {
            return "key " + key + ": event time " + eventTime + ", availability time " + row.availabilityTime();
        }
        for (int i = 0; i < 10; i++) {
            if (row.isNull(i) || row.getDouble(i) != value(key, eventTime, i)) {
                return "key " + key + " of " + eventTime + ": field " + i + " is " + row.getDouble(i);
            }
        }
        return "";
    }

    /// Puts random values in some of the fields of a row that was begun.
    static void putAny(WriteBatch batch, ViewSchema schema, SplittableRandom random) {
        for (int field = 0; field < schema.fields().size(); field++) {
            if (random.nextInt(4) == 0) {
                continue;
            }
            switch (schema.type(field)) {
                case FLOAT64 -> batch.putDouble(field, Double.longBitsToDouble(random.nextLong()));
                case FLOAT32 -> batch.putFloat(field, Float.intBitsToFloat(random.nextInt()));
                case INT64, TIMESTAMP -> batch.putLong(field, random.nextLong());
                case INT32 -> batch.putInt(field, random.nextInt());
                case BOOL -> batch.putBoolean(field, random.nextBoolean());
                case STRING ->
                    batch.putString(
                            field,
                            "x".repeat(random.nextInt(schema.fields().get(field).maxBytes() + 1)));
            }
        }
    }
}
