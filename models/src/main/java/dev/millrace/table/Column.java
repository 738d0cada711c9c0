// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.util.Objects;

/// A column of a table.
///
/// @param name what it is called; no other column of the table is
/// @param type what its values are
/// @param nullable whether a value may be missing
public record Column(String name, ColumnType type, boolean nullable) {
    /// Checks that nothing is null.
    public Column {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
    }

    /// A column without missing values.
    public static Column of(String name, ColumnType type) {
        return new Column(name, type, false);
    }

    /// A column whose values may be missing.
    public static Column nullable(String name, ColumnType type) {
        return new Column(name, type, true);
    }
}
