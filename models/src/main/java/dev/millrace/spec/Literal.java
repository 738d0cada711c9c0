// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// A value that is written in a specification.
public sealed interface Literal {
    /// A number.
    record Real(double value) implements Literal {}

    /// A whole number; a truth value is 1 or 0, a time its microseconds.
    record Whole(long value) implements Literal {}

    /// A text.
    record Text(String value) implements Literal {}
}
