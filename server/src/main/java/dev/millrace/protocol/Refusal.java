// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.runtime.Outcome;
import java.io.Serial;

/// A request that cannot be answered, with what its sender is told. It has no stack trace: it is about the request, not
/// about this program.
public final class Refusal extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Outcome outcome;
    private final Limit limit;

    /// @param outcome how the request ends
    /// @param message names the field, what came and what was expected
    public Refusal(Outcome outcome, String message) {
        this(outcome, null, message);
    }

    private Refusal(Outcome outcome, Limit limit, String message) {
        super(message, null, false, false);
        this.outcome = outcome;
        this.limit = limit;
    }

    /// A request that is wrong.
    public static Refusal invalid(String message) {
        return new Refusal(Outcome.INVALID, message);
    }

    /// A request that is over a limit.
    static Refusal tooLarge(Limits limits, Limit limit, String came) {
        return new Refusal(Outcome.TOO_LARGE, limit, limits.over(limit, came));
    }

    /// A request whose JSON is nested too deep: that is about its form.
    static Refusal tooDeep(String message) {
        return new Refusal(Outcome.INVALID, Limit.MAX_JSON_DEPTH, message);
    }

    /// The limit that it is over, or null.
    public Limit limit() {
        return limit;
    }

    /// How the request ends.
    public Outcome outcome() {
        return outcome;
    }
}
