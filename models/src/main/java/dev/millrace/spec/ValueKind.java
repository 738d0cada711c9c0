// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// What a value is to a transform. A whole number is taken for a number where one is expected, and
/// nothing else is taken for anything else.
public enum ValueKind {
    /// A double.
    NUMBER("a number"),
    /// A long: a whole number, a category's index, or a truth value.
    INTEGER("a whole number"),
    /// Bytes of UTF-8.
    TEXT("a text"),
    /// Microseconds since 1970.
    TIME("a time"),
    /// Several doubles, which become several columns.
    VECTOR("several numbers");

    private final String shown;

    ValueKind(String shown) {
        this.shown = shown;
    }

    /// With an article, for messages.
    public String shown() {
        return shown;
    }

    /// Whether it can be computed with as a double.
    public boolean isNumeric() {
        return this == NUMBER || this == INTEGER;
    }

    /// Whether it can be a category.
    public boolean isDiscrete() {
        return this == INTEGER || this == TEXT;
    }
}
