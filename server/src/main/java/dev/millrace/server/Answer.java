// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import dev.millrace.loop.BodyBytes;
import dev.millrace.loop.ContentCoding;
import dev.millrace.memory.Hot;
import dev.millrace.protocol.BinaryOutputs;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/// One answer as it goes out: status, headers and body, and how a version of HTTP writes them.
///
/// It is filled anew for each answer. Threads: one, the event loop's. Ownership: the body's bytes are those of whoever
/// filled it, until the next answer.
final class Answer {
    static final AsciiString JSON = AsciiString.cached("application/json");

    static final AsciiString CSV = AsciiString.cached("text/csv; charset=utf-8");

    static final AsciiString OCTETS = AsciiString.cached("application/octet-stream");

    /// How many bytes at the beginning of the body are JSON.
    static final AsciiString JSON_LENGTH = AsciiString.cached("Inference-Header-Content-Length");

    private static final byte[] OK_JSON =
            JsonWriter.ascii("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ");
    private static final byte[] OK_OCTETS =
            JsonWriter.ascii("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ");
    private static final byte[] CONTINUE = JsonWriter.ascii("HTTP/1.1 100 Continue\r\n\r\n");
    private static final byte[] NEXT = JsonWriter.ascii("\r\n");
    private static final byte[] COLON = JsonWriter.ascii(": ");
    private static final byte[] CLOSE = JsonWriter.ascii("\r\nConnection: close");
    private static final byte[] KEEP_ALIVE = JsonWriter.ascii("\r\nConnection: keep-alive");
    private static final byte[] HEAD_END = JsonWriter.ascii("\r\n\r\n");
    /// More headers than any answer has.
    private static final int MAX_HEADERS = 8;
    /// Leaves room for a head in the same buffer.
    private static final int MAX_BODY_BYTES = Integer.MAX_VALUE - (1 << 16);

    /// Less is in one packet anyway.
    private static final int LEAST_COMPRESSED = 1024;
    /// To compress more would keep an event loop from all others for too long, and take too much of the heap.
    private static final int MOST_COMPRESSED = 16 << 20;

    private static final AsciiString CONTENT_ENCODING = AsciiString.cached("Content-Encoding");

    private int status;
    private AsciiString contentType;
    private final AsciiString[] names = new AsciiString[MAX_HEADERS];
    /// Null for a header whose value is a number.
    private final byte[][] values = new byte[MAX_HEADERS][];

    private final long[] numbers = new long[MAX_HEADERS];
    private int headers;
    private byte[] body;
    /// How many bytes of `body` are the beginning of the body.
    private int bodyBytes;
    /// What comes behind them, or null.
    private BinaryOutputs binary;
    /// The whole body, while it goes out in parts.
    private ByteBuf joined;

    private int length;
    private final JsonWriter text = new JsonWriter();

    /// Begins an answer, without headers.
    @Hot
    Answer begin(int answerStatus, AsciiString bodyType) {
        status = answerStatus;
        contentType = bodyType;
        headers = 0;
        return this;
    }

    /// Adds a header.
    ///
    /// @param value ASCII
    @Hot
    void header(AsciiString name, byte[] value) {
        names[headers] = name;
        values[headers++] = value;
    }

    @Hot
    void header(AsciiString name, long value) {
        numbers[headers] = value;
        header(name, null);
    }

    /// The body: what `bytes` begins with.
    @Hot
    void body(byte[] bytes, int count) {
        body = bytes;
        bodyBytes = count;
        binary = null;
        length = count;
    }

    /// The body: what `bytes` begins with, and outputs behind that.
    @Hot
    void body(byte[] bytes, int count, BinaryOutputs outputs) {
        if (outputs.bytes() > MAX_BODY_BYTES - count) {
            throw tooLong();
        }
        body = bytes;
        bodyBytes = count;
        binary = outputs;
        length = count + (int) outputs.bytes();
    }

    private static IllegalStateException tooLong() {
        return new IllegalStateException("an answer of more than 2 GiB");
    }

    /// Compresses the body, if that is worth the time and makes it smaller.
    void compress(ContentCoding coding) {
        if (coding == ContentCoding.IDENTITY || length < LEAST_COMPRESSED || length > MOST_COMPRESSED) {
            return;
        }
        ByteArrayOutputStream compressed = new ByteArrayOutputStream(length / 2);
        try (OutputStream out = coding.writer(compressed)) {
            out.write(body, 0, bodyBytes);
            if (binary != null) {
                BodyBytes.write(out, binary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (compressed.size() < length) {
            header(CONTENT_ENCODING, coding.label());
            body(compressed.toByteArray(), compressed.size());
        }
    }

    int status() {
        return status;
    }

    /// Bytes of the body.
    int length() {
        return length;
    }

    /// Takes the memory that the body goes out from in parts, all of it: what has begun can be ended.
    ///
    /// @throws OutOfMemoryError if there is none
    void join(ByteBufAllocator allocator) {
        joined = allocator.buffer(length).writeBytes(body, 0, bodyBytes);
        if (binary != null) {
            BodyBytes.append(joined, binary);
        }
    }

    /// A part of the body, which was joined. The parts are to be taken one after the other.
    ByteBuf part(int start, int count) {
        ByteBuf part = joined.retainedSlice(start, count);
        if (start + count == length) {
            joined.release();
            joined = null;
        }
        return part;
    }

    /// The client may send its body, in HTTP/1.1.
    static ByteBuf goOn(ByteBufAllocator allocator) {
        return allocator.buffer(CONTINUE.length).writeBytes(CONTINUE);
    }

    /// The bytes in HTTP/1.1, head and body in one buffer.
    ///
    /// @param exchange what is answered
    /// @param close whether the connection is closed after it
    @Hot
    ByteBuf http1(ByteBufAllocator allocator, Exchange exchange, boolean close) {
        beginHead();
        text.number(length);
        for (int i = 0; i < headers; i++) {
            text.raw(NEXT).raw(names[i].array()).raw(COLON);
            if (values[i] == null) {
                text.number(numbers[i]);
            } else {
                text.raw(values[i]);
            }
        }
        if (close) {
            text.raw(CLOSE);
        } else if (exchange.isOldVersion()) {
            text.raw(KEEP_ALIVE);
        }
        text.raw(HEAD_END);
        ByteBuf bytes = allocator
                .buffer(text.length() + (exchange.isHead() ? 0 : length))
                .writeBytes(text.array(), 0, text.length());
        if (!exchange.isHead()) {
            bytes.writeBytes(body, 0, bodyBytes);
            if (binary != null) {
                BodyBytes.append(bytes, binary);
            }
        }
        return bytes;
    }

    /// The client may send its body, in HTTP/2.
    static Http2Headers http2GoOn() {
        return ReadOnlyHttp2Headers.serverHeaders(false, HttpResponseStatus.CONTINUE.codeAsText());
    }

    /// Whether a header's value, in HTTP/2, is mostly another one in every answer.
    static boolean isOwn(CharSequence name) {
        return !HttpHeaderNames.CONTENT_TYPE.contentEquals(name)
                && !Http2Headers.PseudoHeaderName.STATUS.value().contentEquals(name);
    }

    /// The head in HTTP/2.
    Http2Headers http2() {
        AsciiString[] pairs = new AsciiString[2 * (headers + 2)];
        pairs[0] = HttpHeaderNames.CONTENT_TYPE;
        pairs[1] = contentType;
        pairs[2] = HttpHeaderNames.CONTENT_LENGTH;
        pairs[3] = AsciiString.of(Integer.toString(length));
        for (int i = 0; i < headers; i++) {
            pairs[2 * i + 4] = names[i].toLowerCase();
            pairs[2 * i + 5] =
                    values[i] == null ? AsciiString.of(Long.toString(numbers[i])) : new AsciiString(values[i], false);
        }
        return ReadOnlyHttp2Headers.serverHeaders(
                false, HttpResponseStatus.valueOf(status).codeAsText(), pairs);
    }

    @Hot
    private void beginHead() {
        text.reset();
        if (status == HttpStatus.OK && JSON.equals(contentType)) {
            text.raw(OK_JSON);
        } else if (status == HttpStatus.OK && OCTETS.equals(contentType)) {
            text.raw(OK_OCTETS);
        } else {
            statusAndType();
        }
    }

    private void statusAndType() {
        text.raw("HTTP/1.1 " + status + ' ' + HttpStatus.reason(status) + "\r\nContent-Type: " + contentType
                + "\r\nContent-Length: ");
    }
}
