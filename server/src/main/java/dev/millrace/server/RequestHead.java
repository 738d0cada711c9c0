// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.loop.ContentCoding;
import dev.millrace.manage.ManagementException;
import dev.millrace.protocol.Refusal;
import dev.millrace.protocol.RequestParameters;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Reads what stands before a request's body. Threads: one, the event loop's.
final class RequestHead {
    /// How long the answer may take, in microseconds; so does the request parameter `timeout`, and the smaller one
    /// counts.
    static final String TIMEOUT = "x-millrace-timeout-us";

    /// `1` asks for the answer's header `Server-Timing`.
    static final AsciiString TIMING = AsciiString.cached("x-millrace-timing");

    private static final String CSV = "text/csv";
    private static final int MAX_ACCEPTED = 100;

    private static final DefaultHttpHeadersFactory UNCHECKED =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false);

    private final Loop loop;
    private final Limits limits;

    RequestHead(Loop loop) {
        this.loop = loop;
        this.limits = loop.limits();
    }

    /// The exchange that a request begins.
    ///
    /// @param mayStay whether the connection may go on after it
    Exchange exchange(Requester requester, HttpRequest request, boolean mayStay) {
        return new Exchange(
                loop,
                requester,
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
            case TooLongHttpLineException _ -> lineTooLong();
            case TooLongHttpHeaderException _ -> headersTooLong();
            case Throwable cause -> Page.error(HttpStatus.BAD_REQUEST, "malformed HTTP request: " + cause.getMessage());
        };
    }

    /// A request of HTTP/2 as HTTP/1.1 would have it; null if its method is none.
    static HttpRequest request(Http2Headers headers) {
        HttpHeaders fields = UNCHECKED.newHeaders();
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            if (!Http2Headers.PseudoHeaderName.hasPseudoHeaderFormat(header.getKey())) {
                fields.add(header.getKey(), header.getValue());
            }
        }
        // The method CONNECT has no path.
        String target = headers.path() == null ? "*" : headers.path().toString();
        try {
            HttpMethod method = HttpMethod.valueOf(headers.method().toString());
            return new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, target, fields);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    /// The answer to a head in HTTP/2 that is too long, or null. That of HTTP/1.1 is measured while it is decoded.
    Page tooLong(Http2Headers headers) {
        long bytes = 0;
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            if (!Http2Headers.PseudoHeaderName.hasPseudoHeaderFormat(header.getKey())) {
                bytes += header.getKey().length() + header.getValue().length();
            }
        }
        if (headers.path() != null && headers.path().length() > limits.get(Limit.MAX_LINE_BYTES)) {
            return lineTooLong();
        }
        return bytes > limits.get(Limit.MAX_HEADER_BYTES) ? headersTooLong() : null;
    }

    private Page lineTooLong() {
        return loop.over(HttpStatus.URI_TOO_LONG, Limit.MAX_LINE_BYTES, "the request line has more bytes");
    }

    /// The answer to headers that have more bytes than allowed.
    Page headersTooLong() {
        return loop.over(HttpStatus.HEADERS_TOO_LARGE, Limit.MAX_HEADER_BYTES, "the headers have more bytes");
    }

    private Page checkBody(Exchange exchange, HttpRequest request) {
        int headers = request.headers().size();
        if (headers > limits.get(Limit.MAX_HEADERS)) {
            return loop.over(
                    HttpStatus.HEADERS_TOO_LARGE, Limit.MAX_HEADERS, "the request has " + headers + " headers");
        }
        List<String> encodings = request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (!encodings.isEmpty() && !HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(String.join(",", encodings))) {
            return Page.error(
                    HttpStatus.BAD_REQUEST,
                    "transfer encoding '" + String.join(",", encodings) + "', only chunked is known");
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
                exchange.route(route.by(method));
                readHeaders(exchange, request);
            }
        } catch (Refusal e) {
            exchange.answer(Page.error(HttpStatus.of(e), e.getMessage()));
        } catch (ManagementException e) {
            exchange.answer(Page.of(e));
        }
    }

    private void readHeaders(Exchange exchange, HttpRequest request) {
        if (exchange.route().target().needsAdmin()) {
            loop.requireAdmin(exchange, request);
        }
        String encoding = request.headers().get(HttpHeaderNames.CONTENT_ENCODING);
        if (encoding != null && !readCoding(exchange, encoding)) {
            return;
        }
        String accepted = request.headers().get(HttpHeaderNames.ACCEPT_ENCODING);
        if (accepted != null) {
            exchange.answerCoding(ContentCoding.accepted(accepted));
        }
        String timing = request.headers().get(TIMING);
        if (timing != null) {
            exchange.timingWanted(timing(timing));
        }
        String timeout = request.headers().get(TIMEOUT);
        if (timeout != null) {
            exchange.timeoutMicros(timeout(timeout));
        }
        if (exchange.route().target().isInference()) {
            exchange.client(loop.client(request, exchange.requester()));
            readForm(exchange, request);
            boolean mixed = !exchange.isCsv() && exchange.route().target() != Route.Target.PREDICT;
            if (mixed && request.headers().contains(Answer.JSON_LENGTH)) {
                exchange.jsonBytes(jsonBytes(request.headers().getAll(Answer.JSON_LENGTH)));
            }
        }
    }

    /// SageMaker's clients say what their bodies are, and what answers have to be.
    private static void readForm(Exchange exchange, HttpRequest request) {
        String type = request.headers().get(HttpHeaderNames.CONTENT_TYPE);
        if (exchange.route().target() == Route.Target.INVOKE && type != null && isCsv(type)) {
            String accepted = String.join(",", request.headers().getAll(HttpHeaderNames.ACCEPT));
            exchange.csv(csvComesFirst(accepted));
        }
    }

    private static boolean isCsv(String type) {
        return CSV.equalsIgnoreCase(type.split(";", 2)[0].strip());
    }

    /// Whether an answer to comma-separated values may be such: unless JSON is named before them, or alone.
    private static boolean csvComesFirst(String accepted) {
        for (String range : accepted.split(",", MAX_ACCEPTED)) {
            String type = range.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
            if (type.equals(CSV) || type.equals("text/*") || type.equals("*/*")) {
                return true;
            }
            if (type.equals("application/json") || type.equals("application/*")) {
                return false;
            }
        }
        return true;
    }

    /// Reads how the body is compressed; false, and the exchange is answered, if that cannot be undone.
    private static boolean readCoding(Exchange exchange, String encoding) {
        boolean inference = exchange.route().target().isInference();
        ContentCoding coding = ContentCoding.named(encoding);
        if (coding == null || (coding != ContentCoding.IDENTITY && !inference)) {
            exchange.answer(Page.error(
                    HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    "content encoding '" + encoding + "', expected " + (inference ? "gzip, deflate or none" : "none")));
            return false;
        }
        exchange.coding(coding);
        return true;
    }

    private static int jsonBytes(List<String> values) {
        String text = values.getFirst();
        if (values.size() > 1 || !isNatural(text)) {
            throw Refusal.invalid("header Inference-Header-Content-Length is '" + String.join(", ", values)
                    + "', expected the JSON's length in bytes");
        }
        return text.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(text);
    }

    private static boolean isNatural(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean timing(String text) {
        return switch (text) {
            case "0" -> false;
            case "1" -> true;
            default -> throw Refusal.invalid("header " + TIMING + " is '" + text + "', expected 0 or 1");
        };
    }

    private static long timeout(String text) {
        if (!isNatural(text)) {
            throw Refusal.invalid(
                    "header " + TIMEOUT + " is '" + text + "', expected microseconds as an integer from 0");
        }
        return text.length() > 18
                ? RequestParameters.MAX_TIMEOUT_MICROS
                : Math.min(RequestParameters.MAX_TIMEOUT_MICROS, Long.parseLong(text));
    }
}
