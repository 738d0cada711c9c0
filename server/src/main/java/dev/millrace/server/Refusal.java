// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.runtime.Outcome;
import java.io.Serial;

/// A request that cannot be answered, with what its sender is told. It has no stack trace: it is about the request, not
/// about this program.
final class Refusal extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Outcome outcome;

    Refusal(Outcome outcome, String message) {
        super(message, null, false, false);
        this.outcome = outcome;
    }

    static Refusal invalid(String message) {
        return new Refusal(Outcome.INVALID, message);
    }

    Outcome outcome() {
        return outcome;
    }
}
