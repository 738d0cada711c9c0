// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.manage.ManagementException;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Outcome;

/// The HTTP statuses that the server sends, and which outcome becomes which.
final class HttpStatus {
    static final int OK = 200;
    static final int BAD_REQUEST = 400;
    static final int UNAUTHORIZED = 401;
    static final int FORBIDDEN = 403;
    static final int NOT_FOUND = 404;
    static final int METHOD_NOT_ALLOWED = 405;
    static final int REQUEST_TIMEOUT = 408;
    static final int CONTENT_TOO_LARGE = 413;
    static final int URI_TOO_LONG = 414;
    static final int UNSUPPORTED_MEDIA_TYPE = 415;
    static final int EXPECTATION_FAILED = 417;
    static final int TOO_MANY_REQUESTS = 429;
    static final int HEADERS_TOO_LARGE = 431;
    /// Nobody is left to read it: the client went away. Only metrics show it.
    static final int CLIENT_CLOSED_REQUEST = 499;

    static final int INTERNAL_ERROR = 500;
    static final int NOT_IMPLEMENTED = 501;
    static final int UNAVAILABLE = 503;
    static final int TIMEOUT = 504;
    static final int VERSION_NOT_SUPPORTED = 505;

    private HttpStatus() {}

    /// The one place where an outcome becomes a status.
    static int of(Outcome outcome) {
        return switch (outcome) {
            case OK -> OK;
            case INVALID -> BAD_REQUEST;
            case NOT_FOUND -> NOT_FOUND;
            case TOO_LARGE -> CONTENT_TOO_LARGE;
            case OVERLOADED -> TOO_MANY_REQUESTS;
            case CANCELLED -> CLIENT_CLOSED_REQUEST;
            case EXPIRED -> TIMEOUT;
            case FAILED -> INTERNAL_ERROR;
            case UNAVAILABLE -> UNAVAILABLE;
        };
    }

    /// The status for a request that cannot be answered.
    static int of(Refusal refusal) {
        return refusal.isUnsupported() ? NOT_IMPLEMENTED : of(refusal.outcome());
    }

    /// What is to be told of a management request that cannot be answered.
    static int of(ManagementException.Problem problem) {
        return switch (problem) {
            case INVALID, FAILED -> BAD_REQUEST;
            case TOO_LARGE -> CONTENT_TOO_LARGE;
            case UNAUTHENTICATED -> UNAUTHORIZED;
            case FORBIDDEN -> FORBIDDEN;
            case NOT_FOUND -> NOT_FOUND;
            case UNAVAILABLE -> UNAVAILABLE;
            case UNSUPPORTED -> NOT_IMPLEMENTED;
        };
    }

    static String reason(int status) {
        return switch (status) {
            case OK -> "OK";
            case BAD_REQUEST -> "Bad Request";
            case UNAUTHORIZED -> "Unauthorized";
            case FORBIDDEN -> "Forbidden";
            case NOT_FOUND -> "Not Found";
            case METHOD_NOT_ALLOWED -> "Method Not Allowed";
            case REQUEST_TIMEOUT -> "Request Timeout";
            case CONTENT_TOO_LARGE -> "Content Too Large";
            case URI_TOO_LONG -> "URI Too Long";
            case UNSUPPORTED_MEDIA_TYPE -> "Unsupported Media Type";
            case EXPECTATION_FAILED -> "Expectation Failed";
            case TOO_MANY_REQUESTS -> "Too Many Requests";
            case HEADERS_TOO_LARGE -> "Request Header Fields Too Large";
            case CLIENT_CLOSED_REQUEST -> "Client Closed Request";
            case INTERNAL_ERROR -> "Internal Server Error";
            case NOT_IMPLEMENTED -> "Not Implemented";
            case UNAVAILABLE -> "Service Unavailable";
            case TIMEOUT -> "Gateway Timeout";
            case VERSION_NOT_SUPPORTED -> "HTTP Version Not Supported";
            default -> "Unknown";
        };
    }
}
