// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.store.Field;
import dev.millrace.store.FieldType;

/// The values of one field for all rows of a request, whoever read them: of one type, or each of its
/// own, as Feast stores them. Until something is put for a row, nothing was found there. Threads: one
/// at a time.
final class FeatureColumn {
    private static final byte NOT_FOUND = 0;
    private static final byte NULL = 1;
    private static final byte PRESENT = 2;

    /// Null if each value has a type of its own.
    private final Field field;
    /// Whole numbers, and the bits of those that are not.
    private final long[] numbers;
    private final String[] texts;
    private final byte[] states;
    private final Object[] objects;
    /// The same as they are stored.
    private final byte[][] stored;

    /// @param field null if each value has a type of its own
    FeatureColumn(Field field, int rows) {
        this.field = field;
        boolean text = field != null && field.type() == FieldType.STRING;
        this.numbers = new long[text || field == null ? 0 : rows];
        this.texts = new String[text ? rows : 0];
        this.states = new byte[rows];
        this.objects = new Object[field == null ? rows : 0];
        this.stored = new byte[field == null ? rows : 0][];
    }

    /// Whether all values have one type.
    boolean isTyped() {
        return field != null;
    }

    /// The type of all values.
    FieldType type() {
        return field.type();
    }

    /// The row is there, and this field of it is null.
    void putNull(int row) {
        states[row] = NULL;
    }

    /// A whole number, a truth value as 1 or 0, or microseconds since 1970.
    void put(int row, long value) {
        numbers[row] = value;
        states[row] = PRESENT;
    }

    void put(int row, double value) {
        put(row, Double.doubleToRawLongBits(value));
    }

    void put(int row, float value) {
        put(row, (long) Float.floatToRawIntBits(value));
    }

    void put(int row, String value) {
        texts[row] = value;
        states[row] = PRESENT;
    }

    /// A value of a type of its own.
    ///
    /// @param bytes the same as it is stored
    void put(int row, Object value, byte[] bytes) {
        objects[row] = value;
        stored[row] = bytes;
        states[row] = PRESENT;
    }

    /// A value of a type of its own, as [dev.millrace.feast.FeastValue] reads it.
    Object getObject(int row) {
        return objects[row];
    }

    /// The same as it is stored.
    byte[] getStored(int row) {
        return stored[row];
    }

    /// Whether nothing was found for a row.
    boolean isMissing(int row) {
        return states[row] == NOT_FOUND;
    }

    /// Whether there is a value.
    boolean isPresent(int row) {
        return states[row] == PRESENT;
    }

    long getLong(int row) {
        return numbers[row];
    }

    double getDouble(int row) {
        return Double.longBitsToDouble(numbers[row]);
    }

    float getFloat(int row) {
        return Float.intBitsToFloat((int) numbers[row]);
    }

    boolean getBoolean(int row) {
        return numbers[row] != 0;
    }

    String getString(int row) {
        return texts[row];
    }
}
