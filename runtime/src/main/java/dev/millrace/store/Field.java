// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.util.Objects;
import java.util.regex.Pattern;

/// A named value of a view: one of its fields, or its key.
///
/// @param name letters, digits, `_`, `-` and `.`, at most 64
/// @param type what it holds
/// @param maxBytes of a string, the most UTF-8 bytes it may have; 0 for other types
public record Field(String name, FieldType type, int maxBytes) {
    /// The longest string that a field may be declared for, in bytes.
    public static final int MAX_STRING_BYTES = 4096;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    /// Checks it.
    public Field {
        requireName("field", name);
        Objects.requireNonNull(type, "type");
        boolean fits = type == FieldType.STRING ? maxBytes >= 1 && maxBytes <= MAX_STRING_BYTES : maxBytes == 0;
        if (!fits) {
            throw new IllegalArgumentException(
                    "field '" + name + "' of type " + type.word() + " has at most " + maxBytes + " bytes, expected "
                            + (type == FieldType.STRING ? "1 to " + MAX_STRING_BYTES : "none to be said"));
        }
    }

    /// A field of a type whose values all have the same width.
    public static Field of(String name, FieldType type) {
        return new Field(name, type, 0);
    }

    /// A string field of at most `maxBytes` UTF-8 bytes.
    public static Field string(String name, int maxBytes) {
        return new Field(name, FieldType.STRING, maxBytes);
    }

    static void requireName(String what, String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "the " + what + "'s name is '" + name + "', expected 1 to 64 letters, digits, '_', '-' and '.'");
        }
    }

    /// The bytes that a value takes in a row.
    int bytes() {
        return type.bytes() + maxBytes;
    }

    /// The type as schemas have it: `float64`, `string(32)`.
    public String typeText() {
        return type == FieldType.STRING ? type.word() + "(" + maxBytes + ")" : type.word();
    }
}
