// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.Literal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// The values that a specification itself has, as a row's slots have values. Texts are at the
/// beginning of what every row has for texts.
///
/// Threads: one.
final class Constants {
    private final ByteArrayOutputStream texts = new ByteArrayOutputStream();

    /// A value as a slot has it.
    long of(Literal literal) {
        return switch (literal) {
            case Literal.Real(double value) -> Double.doubleToRawLongBits(value);
            case Literal.Whole(long value) -> value;
            case Literal.Text(String value) -> {
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                long start = texts.size();
                texts.writeBytes(bytes);
                yield start << 32 | bytes.length;
            }
        };
    }

    /// All texts.
    byte[] texts() {
        return texts.toByteArray();
    }
}
