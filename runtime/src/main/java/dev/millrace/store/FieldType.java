// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// What a field of a view holds.
public enum FieldType {
    /// An IEEE double.
    FLOAT64("float64", Double.BYTES),
    /// An IEEE float.
    FLOAT32("float32", Float.BYTES),
    /// A signed integer of 64 bits.
    INT64("int64", Long.BYTES),
    /// A signed integer of 32 bits.
    INT32("int32", Integer.BYTES),
    /// One byte, 0 or 1.
    BOOL("bool", 1),
    /// Microseconds since 1970-01-01T00:00:00Z, as a signed integer of 64 bits.
    TIMESTAMP("timestamp", Long.BYTES),
    /// UTF-8 of at most as many bytes as the field says: two bytes with how many there are, then
    /// these.
    STRING("string", Short.BYTES);

    private final String word;
    private final int bytes;

    FieldType(String word, int bytes) {
        this.word = word;
        this.bytes = bytes;
    }

    /// Its name in schemas.
    public String word() {
        return word;
    }

    /// The bytes that a value takes; of a string those before its text.
    int bytes() {
        return bytes;
    }
}
