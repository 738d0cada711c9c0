// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.runtime.Outcome;
import java.io.Serial;

/// A request that cannot be answered, with what its sender is told. It has no stack trace: it is about the request, not
/// about this program.
public final class Refusal extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Outcome outcome;

    /// @param outcome how the request ends
    /// @param message names the field, what came and what was expected
    public Refusal(Outcome outcome, String message) {
        super(message, null, false, false);
        this.outcome = outcome;
    }

    /// A request that is wrong.
    public static Refusal invalid(String message) {
        return new Refusal(Outcome.INVALID, message);
    }

    /// How the request ends.
    public Outcome outcome() {
        return outcome;
    }
}
