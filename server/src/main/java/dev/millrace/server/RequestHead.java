// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.protocol.InferDecoder;
import dev.millrace.protocol.Refusal;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.AsciiString;

/// Reads what stands before a request's body. Threads: one, the event loop's.
final class RequestHead {
    /// How long the answer may take, in microseconds; so does the request parameter `timeout`, and the smaller one
    /// counts.
    static final String TIMEOUT = "x-millrace-timeout-us";

    /// `1` asks for the answer's header `Server-Timing`.
    static final AsciiString TIMING = AsciiString.cached("x-millrace-timing");

    private final Loop loop;
    private final Limits limits;

    RequestHead(Loop loop) {
        this.loop = loop;
        this.limits = loop.limits();
    }

    /// The exchange that a request begins.
    ///
    /// @param mayStay whether the connection may go on after it
    Exchange exchange(Connection connection, HttpRequest request, boolean mayStay) {
        return new Exchange(
                loop,
                connection,
                request.method().equals(HttpMethod.HEAD),
                mayStay && HttpUtil.isKeepAlive(request),
                request.protocolVersion().equals(HttpVersion.HTTP_1_0));
    }

    /// Reads the head into the exchange, and answers it if the head alone tells that the request cannot be served. Then
    /// its body is still read, so that the connection can go on.
    ///
    /// @return an answer after which the connection cannot go on, or null
    Page check(Exchange exchange, HttpRequest request) {
        Page malformed = malformed(request.decoderResult());
        if (malformed != null) {
            return malformed;
        }
        if (request.protocolVersion().majorVersion() != 1) {
            return Page.error(HttpStatus.VERSION_NOT_SUPPORTED, request.protocolVersion() + ", expected HTTP/1.1");
        }
        Page refusal = checkBody(exchange, request);
        if (refusal == null) {
            readTarget(exchange, request);
        }
        return refusal;
    }

    private Page malformed(DecoderResult result) {
        if (result.isSuccess()) {
            return null;
        }
        return switch (result.cause()) {
            case TooLongHttpLineException _ ->
                loop.over(HttpStatus.URI_TOO_LONG, Limit.MAX_LINE_BYTES, "the request line has more bytes");
            case TooLongHttpHeaderException _ ->
                loop.over(HttpStatus.HEADERS_TOO_LARGE, Limit.MAX_HEADER_BYTES, "the headers have more bytes");
            case Throwable cause -> Page.error(HttpStatus.BAD_REQUEST, "malformed HTTP request: " + cause.getMessage());
        };
    }

    private Page checkBody(Exchange exchange, HttpRequest request) {
        int headers = request.headers().size();
        if (headers > limits.get(Limit.MAX_HEADERS)) {
            return loop.over(
                    HttpStatus.HEADERS_TOO_LARGE, Limit.MAX_HEADERS, "the request has " + headers + " headers");
        }
        long length = HttpUtil.getContentLength(request, 0L);
        if (length > limits.get(Limit.MAX_BODY_BYTES)) {
            return tooLarge("a body of " + length + " bytes");
        }
        String expectation = request.headers().get(HttpHeaderNames.EXPECT);
        if (expectation == null) {
            return null;
        }
        if (!HttpHeaderValues.CONTINUE.contentEqualsIgnoreCase(expectation)) {
            return Page.error(
                    HttpStatus.EXPECTATION_FAILED, "expectation '" + expectation + "', only 100-continue is met");
        }
        exchange.continueWanted(!exchange.isOldVersion());
        return null;
    }

    /// The answer to a body that is larger than allowed.
    Page tooLarge(String came) {
        return loop.over(HttpStatus.CONTENT_TOO_LARGE, Limit.MAX_BODY_BYTES, came);
    }

    private void readTarget(Exchange exchange, HttpRequest request) {
        try {
            Route route = Route.of(request.uri());
            String method = request.method().name();
            if (route == null) {
                exchange.answer(Page.error(HttpStatus.NOT_FOUND, "nothing is at " + request.uri()));
            } else if (!route.target().allows(method)) {
                exchange.answer(Page.methodNotAllowed(route, method));
            } else {
                exchange.route(route);
                readHeaders(exchange, request);
            }
        } catch (Refusal e) {
            exchange.answer(Page.error(HttpStatus.of(e.outcome()), e.getMessage()));
        }
    }

    private void readHeaders(Exchange exchange, HttpRequest request) {
        String encoding = request.headers().get(HttpHeaderNames.CONTENT_ENCODING);
        if (encoding != null && !HttpHeaderValues.IDENTITY.contentEqualsIgnoreCase(encoding)) {
            exchange.answer(Page.error(
                    HttpStatus.UNSUPPORTED_MEDIA_TYPE, "content encoding '" + encoding + "', expected none"));
            return;
        }
        String timing = request.headers().get(TIMING);
        if (timing != null) {
            exchange.timingWanted(timing(timing));
        }
        String timeout = request.headers().get(TIMEOUT);
        if (timeout != null) {
            exchange.timeoutMicros(timeout(timeout));
        }
        if (exchange.route().target() == Route.Target.INFER) {
            exchange.client(loop.client(request, exchange.connection()));
        }
    }

    private static boolean timing(String text) {
        return switch (text) {
            case "0" -> false;
            case "1" -> true;
            default -> throw Refusal.invalid("header " + TIMING + " is '" + text + "', expected 0 or 1");
        };
    }

    private static long timeout(String text) {
        boolean digits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!digits) {
            throw Refusal.invalid(
                    "header " + TIMEOUT + " is '" + text + "', expected microseconds as an integer from 0");
        }
        return text.length() > 18
                ? InferDecoder.MAX_TIMEOUT_MICROS
                : Math.min(InferDecoder.MAX_TIMEOUT_MICROS, Long.parseLong(text));
    }
}
