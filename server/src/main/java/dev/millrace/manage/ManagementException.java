// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import java.io.Serial;

/// Something that was asked for cannot be had, with what its sender is told. It has no stack trace: it is about the
/// request, not about this program.
public final class ManagementException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Problem problem;

    /// What kind of problem it is.
    public enum Problem {
        /// The request is wrong.
        INVALID,
        /// There is no such model or version.
        NOT_FOUND,
        /// It was tried and did not work.
        FAILED,
        /// It is more than there may be.
        TOO_LARGE,
        /// Who asks has to say who they are.
        UNAUTHENTICATED,
        /// Who asks may not.
        FORBIDDEN,
        /// It cannot be had now, or as the server is set up.
        UNAVAILABLE,
        /// This server does not do such things.
        UNSUPPORTED
    }

    /// @param message names the field, what came and what was expected
    public ManagementException(Problem problem, String message) {
        super(message, null, false, false);
        this.problem = problem;
    }

    /// A request that is wrong.
    public static ManagementException invalid(String message) {
        return new ManagementException(Problem.INVALID, message);
    }

    /// What kind of problem it is.
    public Problem problem() {
        return problem;
    }
}
