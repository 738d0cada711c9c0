// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

/// What is done about a row that is rejected.
enum OnRejected {
    /// The command ends, and writes nothing.
    FAIL,
    /// It is not written.
    SKIP,
    /// Its columns are missing in what is written.
    NULL
}
