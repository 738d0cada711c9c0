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
    private final boolean unsupported;

    /// @param outcome how the request ends
    /// @param message names the field, what came and what was expected
    public Refusal(Outcome outcome, String message) {
        this(outcome, null, false, message);
    }

    private Refusal(Outcome outcome, Limit limit, boolean unsupported, String message) {
        super(message, null, false, false);
        this.outcome = outcome;
        this.limit = limit;
        this.unsupported = unsupported;
    }

    /// A request that is wrong.
    public static Refusal invalid(String message) {
        return new Refusal(Outcome.INVALID, message);
    }

    /// A request that asks for a part of the protocol that this server does not have. It counts as wrong, but its
    /// sender is told the difference.
    public static Refusal unsupported(String message) {
        return new Refusal(Outcome.INVALID, null, true, message);
    }

    /// A request that is over a limit.
    static Refusal tooLarge(Limits limits, Limit limit, String came) {
        return new Refusal(Outcome.TOO_LARGE, limit, false, limits.over(limit, came));
    }

    /// A request whose JSON is nested too deep: that is about its form.
    static Refusal tooDeep(String message) {
        return new Refusal(Outcome.INVALID, Limit.MAX_JSON_DEPTH, false, message);
    }

    /// The limit that it is over, or null.
    public Limit limit() {
        return limit;
    }

    /// Whether it is right, but this server does not have what it asks for.
    public boolean isUnsupported() {
        return unsupported;
    }

    /// How the request ends.
    public Outcome outcome() {
        return outcome;
    }
}
