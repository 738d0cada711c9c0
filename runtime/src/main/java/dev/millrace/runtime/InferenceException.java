// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.io.Serial;
import java.util.Objects;

/// A request that was not answered; says how it ended and, in the message, why.
public final class InferenceException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Outcome outcome;

    /// An end other than [Outcome#OK].
    public InferenceException(Outcome outcome, String message) {
        super(message);
        this.outcome = Objects.requireNonNull(outcome, "outcome");
    }

    /// How the request ended.
    public Outcome outcome() {
        return outcome;
    }
}
