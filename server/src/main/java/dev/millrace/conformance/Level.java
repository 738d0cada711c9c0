// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

/// How much it matters that a server does what a case expects.
enum Level {
    /// The specification, or what it stands on (HTTP, JSON), asks for it: otherwise the case has failed.
    REQUIRED,
    /// The document of an extension that the server lists asks for it: otherwise the case has failed.
    EXTENSION,
    /// The specification leaves it open, and clients fare best this way: otherwise the server deviates.
    RECOMMENDED,
    /// Wrong or hostile requests are refused, and neither harm the server nor hang: otherwise the case has failed.
    HARDENING;

    /// As reports have it.
    String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /// What a server gets that does not do what is expected.
    Verdict unmet() {
        return this == RECOMMENDED ? Verdict.DEVIATES : Verdict.FAILED;
    }
}
