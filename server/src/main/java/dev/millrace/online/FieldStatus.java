// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

/// What is known of a value, by Feast's names and in its order. Threads: constants.
enum FieldStatus {
    PRESENT,
    NULL_VALUE,
    NOT_FOUND,
    /// The value is there, and older than it may be.
    OUTSIDE_MAX_AGE;

    /// Feast's number: its 0 says that nothing is known.
    int number() {
        return ordinal() + 1;
    }
}
