// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.store.Field;
import dev.millrace.store.FieldType;

/// The values of one field for all rows of a request, whoever read them. Until something is put for
/// a row, nothing was found there. Threads: one at a time.
final class FeatureColumn {
    private static final byte NOT_FOUND = 0;
    private static final byte NULL = 1;
    private static final byte PRESENT = 2;

    private final Field field;
    /// Whole numbers, and the bits of those that are not.
    private final long[] numbers;
    private final String[] texts;
    private final byte[] states;

    FeatureColumn(Field field, int rows) {
        this.field = field;
        boolean text = field.type() == FieldType.STRING;
        this.numbers = new long[text ? 0 : rows];
        this.texts = new String[text ? rows : 0];
        this.states = new byte[rows];
    }

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
