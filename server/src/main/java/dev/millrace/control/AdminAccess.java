// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import java.util.Optional;

/// Decides who may change models: who brings the admin token, or comes by the port that only this machine reaches.
///
/// Threads: any.
public final class AdminAccess {
    /// What an answer to a request without a token asks for, in HTTP's header `WWW-Authenticate`.
    public static final String CHALLENGE = "Bearer";

    private static final String SCHEME = "bearer ";

    private final Optional<AdminToken> token;
    private final boolean loads;

    /// Whoever brings the configuration's token has access.
    public AdminAccess(ControlConfig config) {
        this.token = config.token();
        this.loads = config.mode() == ControlMode.EXPLICIT;
    }

    /// Refuses who has no access.
    ///
    /// @param load whether it is about loading or unloading, which only the explicit mode allows
    /// @param authorization the header of that name, or null
    /// @param local whether it came by the admin port
    /// @throws ManagementException if so, with what the sender may be told
    public void require(boolean load, String authorization, boolean local) {
        if (local || (load && !loads)) {
            return;
        }
        if (token.isEmpty()) {
            throw new ManagementException(
                    Problem.FORBIDDEN,
                    "this needs admin access, which is off: start the server with --admin-token-file, or ask the port"
                            + " of --admin-port on its machine");
        }
        if (authorization == null || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            throw new ManagementException(
                    Problem.UNAUTHENTICATED,
                    "this needs admin access: expected the header 'Authorization: Bearer TOKEN' with the server's"
                            + " admin token");
        }
        if (!token.get().is(authorization.substring(SCHEME.length()).strip())) {
            throw new ManagementException(Problem.FORBIDDEN, "this needs admin access, and the admin token is wrong");
        }
    }
}
