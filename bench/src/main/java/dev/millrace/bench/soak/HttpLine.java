// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// A connection to the server that understands its answers, and nothing else. It waits for them for a minute: an answer
/// that has not come then is lost.
///
/// Threads: one. Ownership: it closes its socket.
final class HttpLine implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 60_000;
    private static final String LENGTH = "content-length:";
    private static final String ID = "\"id\":\"";
    private static final String DATA = "\"data\":[";

    /// What came back.
    ///
    /// @param open whether the connection stays open
    record Answer(int status, String body, boolean open) {
        /// The id that it came with; empty if without.
        String id() {
            int at = body.indexOf(ID);
            return at < 0 ? "" : body.substring(at + ID.length(), body.indexOf('"', at + ID.length()));
        }

        /// The numbers of the first output.
        float[] numbers() {
            int at = body.indexOf(DATA) + DATA.length();
            String[] words = body.substring(at, body.indexOf(']', at)).split(",");
            float[] numbers = new float[words.length];
            for (int i = 0; i < words.length; i++) {
                numbers[i] = Float.parseFloat(words[i]);
            }
            return numbers;
        }
    }

    private final Socket socket = new Socket();
    private final InputStream in;

    HttpLine(int port) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        try {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
            in = new BufferedInputStream(socket.getInputStream());
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /// A whole request.
    static byte[] post(String path, String body) {
        return ("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                        + body.length() + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /// A whole request without a body.
    static byte[] get(String path) {
        return ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }

    void send(byte[] bytes, int from, int to) throws IOException {
        socket.getOutputStream().write(bytes, from, to - from);
    }

    void send(byte[] bytes) throws IOException {
        send(bytes, 0, bytes.length);
    }

    /// Waits for an answer.
    ///
    /// @throws EOFException if the server closed the connection instead
    /// @throws java.net.SocketTimeoutException if nothing comes
    Answer receive() throws IOException {
        String line = line();
        int status = Integer.parseInt(line.split(" ")[1]);
        int length = 0;
        boolean open = true;
        for (line = line(); !line.isEmpty(); line = line()) {
            String header = line.toLowerCase(Locale.ROOT);
            if (header.startsWith(LENGTH)) {
                length = Integer.parseInt(header.substring(LENGTH.length()).strip());
            }
            open &= !header.replace(" ", "").equals("connection:close");
        }
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException("the server closed the connection in an answer");
        }
        return new Answer(status, new String(body, StandardCharsets.UTF_8), open);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the server closed the connection");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    /// Whether nothing more comes but the end.
    boolean isAtEnd() throws IOException {
        return in.read() < 0;
    }

    /// Says that nothing more will be sent.
    void halfClose() throws IOException {
        socket.shutdownOutput();
    }

    /// Ends the connection without a word, as a client that dies does.
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
