// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.spec.ValueKind;

/// A value between nodes: a tensor of doubles, longs or texts, by its kind.
///
/// @param name the tensor's, `[batch, 1]`, or `[batch, columns]` of several numbers
/// @param missing the truth values that say where it is null, `[batch, 1]`; null where it never is
record Value(String name, ValueKind kind, String missing) {
    /// Another tensor, null where this one is.
    Value as(String other, ValueKind ofKind) {
        return new Value(other, ofKind, missing);
    }

    /// The same tensor, null elsewhere.
    Value missing(String other) {
        return new Value(name, kind, other);
    }
}
