// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

/// What became of a case.
enum Verdict {
    /// As expected, or in another way that is allowed, which a note then tells.
    PASSED,
    /// Not as is recommended, and not against the specification either.
    DEVIATES,
    /// Not as the specification or a listed extension has it, or no answer at all.
    FAILED,
    /// Could not be tried: an extension is not listed, or a model is not there.
    SKIPPED;

    /// As reports have it.
    String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
