// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;

/// An answer that is not computed by a model: status, body, and at most one header of its own.
///
/// @param status the HTTP status
/// @param contentType what the body is
/// @param header a header line without its end, or null
/// @param body the bytes
record Page(int status, String contentType, String header, byte[] body) {
    private static final String JSON = "application/json";

    static Page json(int status, byte[] body) {
        return new Page(status, JSON, null, body);
    }

    /// An error: `{"error":message}`.
    static Page error(int status, String message) {
        byte[] body =
                new JsonWriter().raw("{\"error\":").string(message).raw('}').toBytes();
        return new Page(status, JSON, status == HttpStatus.TOO_MANY_REQUESTS ? "Retry-After: 1" : null, body);
    }

    /// An error that is gone later.
    static Page retryLater(int status, String message, long seconds) {
        return new Page(
                status, JSON, "Retry-After: " + seconds, error(status, message).body());
    }

    static Page methodNotAllowed(Route route, String method) {
        Page page = error(
                HttpStatus.METHOD_NOT_ALLOWED,
                "method " + method + " is not allowed here, expected "
                        + route.target().allowed());
        return new Page(page.status(), JSON, "Allow: " + route.target().allowed(), page.body());
    }
}
