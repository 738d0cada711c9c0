// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// The type of a raw value, by the word that the file has for it.
public enum ValueType {
    /// An IEEE double.
    FLOAT64("float64", ValueKind.NUMBER, 8),
    /// An IEEE float; computed with as a double.
    FLOAT32("float32", ValueKind.NUMBER, 4),
    /// A whole number of 64 bits.
    INT64("int64", ValueKind.INTEGER, 8),
    /// A whole number of 32 bits.
    INT32("int32", ValueKind.INTEGER, 4),
    /// True or false; computed with as 1 or 0.
    BOOL("bool", ValueKind.INTEGER, 1),
    /// A text in UTF-8.
    STRING("string", ValueKind.TEXT, 8),
    /// A point in time, in microseconds since 1970-01-01T00:00Z.
    TIMESTAMP("timestamp", ValueKind.TIME, 8);

    private final String word;
    private final ValueKind kind;
    private final int bytes;

    ValueType(String word, ValueKind kind, int bytes) {
        this.word = word;
        this.kind = kind;
        this.bytes = bytes;
    }

    /// How the file calls it.
    public String word() {
        return word;
    }

    /// What it is to transforms.
    public ValueKind kind() {
        return kind;
    }

    /// How much room it takes in a stored row of fixed layout: that of a text is for its place and
    /// length.
    public int bytes() {
        return bytes;
    }
}
