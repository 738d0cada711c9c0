// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.MemoryExceededException;
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

    /// The end of a request for which there is not enough memory: too large if it could never be answered, otherwise
    /// overloaded.
    ///
    /// @param held bytes that the request holds already
    public static InferenceException of(MemoryExceededException problem, long held) {
        Outcome outcome = problem.isHopeless(held) ? Outcome.TOO_LARGE : Outcome.OVERLOADED;
        return new InferenceException(outcome, problem.getMessage());
    }

    /// How the request ended.
    public Outcome outcome() {
        return outcome;
    }
}
