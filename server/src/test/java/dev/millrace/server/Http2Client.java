// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/// A connection of HTTP/2 with prior knowledge on which tests decide about every frame. It takes all that comes when it
/// is asked for something, and gives no window by itself.
final class Http2Client implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;
    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;
    static final int INITIAL_WINDOW_SIZE = 4;
    static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static final int TIMEOUT_MILLIS = 30_000;

    private final Socket socket;
    private final DataInputStream in;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, 1 << 20);
    private final Map<Integer, Answer> answers = new HashMap<>();
    private final Map<Integer, Long> settings = new HashMap<>();
    private final Map<Integer, Integer> windows = new HashMap<>();
    private int lastOfGoAway = -1;
    private long errorOfGoAway = -1;
    private int pings;
    private int dataSent;

    /// What has come on a stream.
    static final class Answer {
        private final Map<String, String> headers = new HashMap<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int status;
        private int informational;
        private boolean ended;
        private long reset = -1;

        int status() {
            return status;
        }

        /// The status before the last one, or 0.
        int informational() {
            return informational;
        }

        Map<String, String> headers() {
            return headers;
        }

        String body() {
            return body.toString(StandardCharsets.UTF_8);
        }

        int bytes() {
            return body.size();
        }

        /// Whether the server has sent all of it.
        boolean isEnded() {
            return ended;
        }

        /// The code that the server has reset the stream with, or -1.
        long reset() {
            return reset;
        }
    }

    private Http2Client(int port, int receiveBytes) throws IOException {
        socket = new Socket();
        if (receiveBytes > 0) {
            socket.setReceiveBufferSize(receiveBytes);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    /// A connection on which nothing was sent.
    static Http2Client silent(int port, int receiveBytes) {
        try {
            return new Http2Client(port, receiveBytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A connection that is open.
    static Http2Client connect(int port) {
        return connect(port, 1 << 30, 0);
    }

    /// @param window bytes of each answer that may come before more are allowed
    /// @param receiveBytes what the kernel keeps of what is not read; 0 for the usual
    static Http2Client connect(int port, int window, int receiveBytes) {
        Http2Client client = silent(port, receiveBytes);
        client.out.writeBytes(PREFACE);
        client.settings(INITIAL_WINDOW_SIZE, window)
                .window(0, (1 << 30) - 65_535)
                .flush();
        return client;
    }

    Http2Client frame(int type, int flags, int stream, byte[] payload) {
        ByteBuffer head = ByteBuffer.allocate(9);
        head.putInt(payload.length << 8 | type).put((byte) flags).putInt(stream);
        out.writeBytes(head.array());
        out.writeBytes(payload);
        return this;
    }

    Http2Client settings(int id, int value) {
        return frame(
                SETTINGS,
                0,
                0,
                ByteBuffer.allocate(6).putShort((short) id).putInt(value).array());
    }

    Http2Client window(int stream, int bytes) {
        return frame(
                WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(bytes).array());
    }

    Http2Client reset(int stream, int error) {
        return frame(RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(error).array());
    }

    Http2Client ping(long number) {
        return frame(PING, 0, 0, ByteBuffer.allocate(8).putLong(number).array());
    }

    static Http2Headers head(String method, String path) {
        return new DefaultHttp2Headers(false)
                .method(method)
                .path(path)
                .scheme("http")
                .authority("test");
    }

    byte[] encoded(int stream, Http2Headers headers) {
        ByteBuf bytes = Unpooled.buffer();
        try {
            encoder.encodeHeaders(stream, headers, bytes);
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        }
        return ByteBufUtil.getBytes(bytes);
    }

    Http2Client headers(int stream, Http2Headers headers, boolean end) {
        return frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, encoded(stream, headers));
    }

    Http2Client data(int stream, String text, boolean end) {
        return data(stream, text.getBytes(StandardCharsets.UTF_8), end);
    }

    Http2Client data(int stream, byte[] bytes, boolean end) {
        dataSent += bytes.length;
        return frame(DATA, end ? END_STREAM : 0, stream, bytes);
    }

    Http2Client get(int stream, String path) {
        return headers(stream, head("GET", path), true);
    }

    /// A POST with its body in as many frames as it takes.
    Http2Client post(int stream, String path, String body) {
        headers(stream, head("POST", path), false);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        int at = 0;
        while (bytes.length - at > 16_384) {
            data(stream, java.util.Arrays.copyOfRange(bytes, at, at + 16_384), false);
            at += 16_384;
        }
        return data(stream, java.util.Arrays.copyOfRange(bytes, at, bytes.length), true);
    }

    Http2Client infer(int stream, String model, String body) {
        return post(stream, "/v2/models/" + model + "/infer", body);
    }

    Http2Client bytes(byte[] any) {
        out.writeBytes(any);
        return this;
    }

    /// What was written and not sent.
    byte[] unsent() {
        byte[] bytes = out.toByteArray();
        out.reset();
        return bytes;
    }

    /// Sends what was written.
    Http2Client flush() {
        try {
            socket.getOutputStream().write(unsent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /// What has come on a stream by now.
    Answer soFar(int stream) {
        return answers.computeIfAbsent(stream, _ -> new Answer());
    }

    /// Bytes that the server has allowed on a stream beside those at first.
    int windowOf(int stream) {
        return windows.getOrDefault(stream, 0);
    }

    /// Bytes of bodies that may be sent on the whole connection before the server allows more.
    int windowLeft() {
        return 65_535 + windowOf(0) - dataSent;
    }

    /// Sends what was written, and reads until the server has ended a stream.
    Answer answer(int stream) {
        flush();
        Answer answer = soFar(stream);
        while (!answer.ended && answer.reset < 0) {
            if (!read()) {
                throw new IllegalStateException("the connection was closed before the answer on stream " + stream);
            }
        }
        return answer;
    }

    /// Reads until so many pings were answered.
    void awaitPings(int count) {
        flush();
        while (pings < count && read()) {}
    }

    /// Reads until a ping was answered; false if the connection is closed instead.
    boolean isAnsweredOrClosed() {
        int before = pings;
        boolean open = true;
        while (pings == before && open) {
            open = read();
        }
        return open;
    }

    /// Reads until the server closes the connection; then [#errorOfGoAway()] tells why.
    void awaitClose() {
        flush();
        while (read()) {}
    }

    /// Reads until the server has said that it goes away.
    int awaitGoAway() {
        flush();
        while (lastOfGoAway < 0 && read()) {}
        return lastOfGoAway;
    }

    int lastOfGoAway() {
        return lastOfGoAway;
    }

    /// The reason of the last GOAWAY; -1 without one.
    long errorOfGoAway() {
        return errorOfGoAway;
    }

    /// A value that the server has set; null if it has not.
    Long setting(int id) {
        return settings.get(id);
    }

    /// Reads a frame; false at the end.
    boolean read() {
        try {
            int first = in.readInt();
            int type = first & 0xff;
            int flags = in.readUnsignedByte();
            int stream = in.readInt();
            byte[] payload = in.readNBytes(first >>> 8);
            handle(type, flags, stream, payload);
            return true;
        } catch (EOFException _) {
            return false;
        } catch (Http2Exception e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            if ("Connection reset".equals(e.getMessage())) {
                return false;
            }
            throw new UncheckedIOException(e);
        }
    }

    private void handle(int type, int flags, int stream, byte[] payload) throws Http2Exception {
        switch (type) {
            case DATA -> {
                soFar(stream).body.writeBytes(payload);
                soFar(stream).ended |= (flags & END_STREAM) != 0;
            }
            case HEADERS -> handleHeaders(soFar(stream), stream, payload, (flags & END_STREAM) != 0);
            case RST_STREAM -> soFar(stream).reset = ByteBuffer.wrap(payload).getInt();
            case SETTINGS -> handleSettings(flags, payload);
            case WINDOW_UPDATE -> windows.merge(stream, ByteBuffer.wrap(payload).getInt(), Integer::sum);
            case PING -> pings += (flags & ACK) == 0 ? 0 : 1;
            case GOAWAY -> {
                ByteBuffer bytes = ByteBuffer.wrap(payload);
                lastOfGoAway = bytes.getInt();
                errorOfGoAway = bytes.getInt();
            }
            default -> {}
        }
    }

    private void handleHeaders(Answer answer, int stream, byte[] payload, boolean end) throws Http2Exception {
        Http2Headers headers = decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(payload));
        answer.informational = answer.status;
        answer.status = Integer.parseInt(headers.status().toString());
        headers.forEach(header ->
                answer.headers.put(header.getKey().toString(), header.getValue().toString()));
        answer.ended = end;
    }

    private void handleSettings(int flags, byte[] payload) {
        if ((flags & ACK) == 0) {
            for (ByteBuffer bytes = ByteBuffer.wrap(payload); bytes.hasRemaining(); ) {
                settings.put((int) bytes.getShort(), Integer.toUnsignedLong(bytes.getInt()));
            }
            frame(SETTINGS, ACK, 0, new byte[0]);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
