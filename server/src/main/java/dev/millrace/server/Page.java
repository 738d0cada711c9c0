// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.control.AdminAccess;
import dev.millrace.json.JsonWriter;
import dev.millrace.manage.ManagementException;
import io.netty.util.AsciiString;

/// An answer that is not computed by a model: status, body, and at most one header of its own.
///
/// @param status the HTTP status
/// @param contentType what the body is
/// @param header its header, or null
/// @param body the bytes
record Page(int status, AsciiString contentType, Header header, byte[] body) {
    private static final AsciiString RETRY_AFTER = AsciiString.cached("Retry-After");
    private static final AsciiString ALLOW = AsciiString.cached("Allow");
    private static final AsciiString AUTHENTICATE = AsciiString.cached("WWW-Authenticate");

    /// A header of one page.
    record Header(AsciiString name, byte[] value) {
        static Header of(AsciiString name, String value) {
            return new Header(name, JsonWriter.ascii(value));
        }
    }

    static Page json(int status, byte[] body) {
        return new Page(status, Answer.JSON, null, body);
    }

    /// An error: `{"error":message}`.
    static Page error(int status, String message) {
        byte[] body =
                new JsonWriter().raw("{\"error\":").string(message).raw('}').toBytes();
        Header header = status == HttpStatus.TOO_MANY_REQUESTS ? Header.of(RETRY_AFTER, "1") : null;
        return new Page(status, Answer.JSON, header, body);
    }

    /// A management request that cannot be answered otherwise.
    static Page of(ManagementException problem) {
        Page page = error(HttpStatus.of(problem.problem()), problem.getMessage());
        return problem.problem() != ManagementException.Problem.UNAUTHENTICATED
                ? page
                : new Page(page.status(), Answer.JSON, Header.of(AUTHENTICATE, AdminAccess.CHALLENGE), page.body());
    }

    /// An error that is gone later.
    static Page retryLater(int status, String message, long seconds) {
        return new Page(
                status,
                Answer.JSON,
                Header.of(RETRY_AFTER, Long.toString(seconds)),
                error(status, message).body());
    }

    static Page methodNotAllowed(Route route, String method) {
        Page page = error(
                HttpStatus.METHOD_NOT_ALLOWED,
                "method " + method + " is not allowed here, expected "
                        + route.target().allowed());
        Header allow = Header.of(ALLOW, route.target().allowed());
        return new Page(page.status(), Answer.JSON, allow, page.body());
    }
}
