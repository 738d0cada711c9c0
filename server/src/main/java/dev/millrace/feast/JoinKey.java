// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A part of an entity's key: its name, and which of Feast's types its values are written as.
public record JoinKey(String name, Type type) {
    /// The types that keys may have, with Feast's numbers.
    public enum Type {
        /// UTF-8.
        STRING(2),
        /// Four bytes.
        INT32(3),
        /// Eight bytes.
        INT64(4),
        /// Seconds since 1970 in eight bytes.
        UNIX_TIMESTAMP(8);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        String word() {
            return this == STRING ? "a string" : this == INT32 ? "an integer of 32 bits" : "an integer";
        }
    }

    /// Whether it can have a value.
    public boolean takes(Object value) {
        return switch (type) {
            case STRING -> value instanceof String;
            case INT32 -> value instanceof Long number && number.intValue() == number;
            case INT64, UNIX_TIMESTAMP -> value instanceof Long;
        };
    }

    /// What its values are.
    public String expectation() {
        return type.word();
    }

    /// A value's bytes.
    ///
    /// @param value a [Long] or a [String]
    /// @throws IllegalArgumentException if it is none of this type's
    byte[] bytes(Object value) {
        return switch (value) {
            case String text when type == Type.STRING -> text.getBytes(StandardCharsets.UTF_8);
            case Long number
            when type == Type.INT32 && number.intValue() == number ->
                ByteBuffer.allocate(Integer.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(number.intValue())
                        .array();
            case Long number
            when type == Type.INT64 || type == Type.UNIX_TIMESTAMP ->
                ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(number)
                        .array();
            default -> throw new IllegalArgumentException(value + " came, expected " + type.word());
        };
    }
}
