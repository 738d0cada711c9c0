// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

/// What is done about a row that has no answer.
enum OnError {
    /// The command ends, and writes nothing.
    STOP,
    /// Its answer is missing in what is written.
    NULL,
    /// It is not written.
    SKIP
}
