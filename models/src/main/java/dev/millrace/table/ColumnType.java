// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

/// What the values of a column are.
public enum ColumnType {
    /// A `float`.
    FLOAT32("a number"),
    /// A `double`.
    FLOAT64("a number"),
    /// An `int`.
    INT32("an integer"),
    /// A `long`.
    INT64("an integer"),
    /// True or false.
    BOOL("true or false"),
    /// A text.
    STRING("a text"),
    /// A point in time: a `long` of microseconds since 1970-01-01T00:00:00Z.
    TIMESTAMP("a time as 2026-01-31T12:00:00Z");

    private final String description;

    ColumnType(String description) {
        this.description = description;
    }

    /// What is expected, for messages.
    String expected() {
        return this == BOOL || this == STRING || this == TIMESTAMP ? description : description + " (" + this + ")";
    }
}
