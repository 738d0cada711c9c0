// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.runtime.Outcome;

/// The HTTP statuses that the server sends, and which outcome becomes which.
final class HttpStatus {
    static final int OK = 200;
    static final int BAD_REQUEST = 400;
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

    static String reason(int status) {
        return switch (status) {
            case OK -> "OK";
            case BAD_REQUEST -> "Bad Request";
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
            case UNAVAILABLE -> "Service Unavailable";
            case TIMEOUT -> "Gateway Timeout";
            case VERSION_NOT_SUPPORTED -> "HTTP Version Not Supported";
            default -> "Unknown";
        };
    }
}
