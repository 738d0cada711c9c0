// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.Serial;

/// A case that has come to its end early. It has no stack trace: it is about a server, not about this program.
final class Unmet extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Verdict verdict;

    private Unmet(Verdict verdict, String message) {
        super(message, null, false, false);
        this.verdict = verdict;
    }

    /// Something is not as expected; how bad that is, its case's level says.
    static Unmet because(String message) {
        return new Unmet(null, message);
    }

    /// Something is not as recommended, whatever the case's level.
    static Unmet deviates(String message) {
        return new Unmet(Verdict.DEVIATES, message);
    }

    /// The case cannot be tried with this server.
    static Unmet skipped(String message) {
        return new Unmet(Verdict.SKIPPED, message);
    }

    Verdict verdict(Level level) {
        return verdict == null ? level.unmet() : verdict;
    }
}
