// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/// A server that makes one mistake: it has another one answer, and spoils what comes or what goes. Threads: one for
/// each connection.
final class MistakenServer implements AutoCloseable {
    private final ServerSocket listener;
    private final int port;
    private final Mistake mistake;
    private final Set<Socket> sockets = new HashSet<>();

    /// What can be wrong. Without any of these it is a good server.
    interface Mistake {
        /// Spoils an answer.
        ///
        /// @return null to never answer
        default Reply answer(Query query, Reply good) {
            return good;
        }

        /// Spoils a request before it is looked at.
        default Query query(Query query) {
            return query;
        }

        /// Whether requests have to come in one piece.
        default boolean readsOnce() {
            return false;
        }

        /// The status for a body that is far too large.
        default int tooLarge() {
            return 413;
        }

        /// Whether 100 Continue is said.
        default boolean goesOn() {
            return true;
        }

        /// Whether the answers to what came at once are sent the last one first.
        default boolean reverses() {
            return false;
        }
    }

    /// A request.
    record Query(String method, String path, Map<String, String> headers, byte[] body) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        Query withBody(byte[] other) {
            return new Query(method, path, headers, other);
        }

        Query withPath(String other) {
            return new Query(method, other, headers, body);
        }

        boolean isInference() {
            return path.endsWith("/infer");
        }
    }

    /// An answer.
    record Reply(int status, Map<String, String> headers, byte[] body) {
        Reply withStatus(int other) {
            return new Reply(other, headers, body);
        }

        Reply with(UnaryOperator<String> change) {
            String text = change.apply(new String(body, StandardCharsets.ISO_8859_1));
            return new Reply(status, headers, text.getBytes(StandardCharsets.ISO_8859_1));
        }

        Reply withHeader(String name, String value) {
            Map<String, String> all = new TreeMap<>(headers);
            all.put(name, value);
            return new Reply(status, all, body);
        }

        byte[] bytes() {
            StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " Whatever\r\n");
            headers.forEach((name, value) -> {
                if (!name.equalsIgnoreCase("Content-Length")) {
                    head.append(name).append(": ").append(value).append("\r\n");
                }
            });
            head.append("Content-Length: ").append(body.length).append("\r\n\r\n");
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
            bytes.writeBytes(body);
            return bytes.toByteArray();
        }
    }

    /// @param port where the server is that answers
    MistakenServer(int port, Mistake mistake) throws IOException {
        this.port = port;
        this.mistake = mistake;
        listener = new ServerSocket();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofVirtual().start(this::accept);
    }

    String url() {
        return "http://127.0.0.1:" + listener.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = listener.accept();
                synchronized (sockets) {
                    sockets.add(socket);
                }
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException _) {
            // closed
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            BufferedInputStream in = new BufferedInputStream(socket.getInputStream());
            ByteArrayOutputStream held = new ByteArrayOutputStream();
            while (true) {
                byte[] answer = answer(in, socket.getOutputStream());
                byte[] earlier = held.toByteArray();
                held.reset();
                held.writeBytes(answer);
                held.writeBytes(earlier);
                if (!mistake.reverses() || in.available() == 0) {
                    socket.getOutputStream().write(held.toByteArray());
                    held.reset();
                }
            }
        } catch (IOException _) {
            // the client has gone
        }
    }

    private byte[] answer(InputStream in, OutputStream out) throws IOException {
        Query came = read(in, out);
        Query query = mistake.query(came);
        Reply good = query == null ? error(400) : ask(query);
        Reply reply = mistake.answer(came, good);
        if (reply == null) {
            in.readAllBytes(); // until the client gives up
            throw new EOFException();
        }
        return reply.bytes();
    }

    static Reply error(int status) {
        return new Reply(
                status,
                Map.of("Content-Type", "application/json"),
                "{\"error\":\"wrong\"}".getBytes(StandardCharsets.UTF_8));
    }

    private Query read(InputStream in, OutputStream out) throws IOException {
        String start = Message.line(in);
        Map<String, String> headers = Message.headers(in);
        boolean chunked = headers.getOrDefault("Transfer-Encoding", "").equals("chunked");
        long length = Long.parseLong(headers.getOrDefault("Content-Length", "0"));
        if (length > 1 << 30) {
            out.write(error(mistake.tooLarge()).bytes());
            throw new EOFException();
        }
        if (headers.containsKey("Expect") && mistake.goesOn()) {
            out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        if (mistake.readsOnce() && in.available() < length) {
            out.write(error(400).bytes());
            throw new EOFException();
        }
        byte[] body = chunked ? Message.chunks(in) : Message.exactly(in, (int) length);
        String[] words = start.split(" ");
        return new Query(words[0], words[1], headers, body);
    }

    private Reply ask(Query query) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            StringBuilder head = new StringBuilder(query.method() + " " + query.path() + " HTTP/1.1\r\n");
            query.headers().forEach((name, value) -> {
                if (!Set.of("content-length", "transfer-encoding", "expect").contains(name.toLowerCase(Locale.ROOT))) {
                    head.append(name).append(": ").append(value).append("\r\n");
                }
            });
            head.append("Content-Length: ").append(query.body().length).append("\r\n\r\n");
            OutputStream out = socket.getOutputStream();
            out.write(head.toString().getBytes(StandardCharsets.UTF_8));
            out.write(query.body());
            Message answer = Message.readResponse(new BufferedInputStream(socket.getInputStream()));
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            headers.putAll(answer.headers());
            headers.remove("Connection");
            return new Reply(answer.status(), headers, answer.body());
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            synchronized (sockets) {
                for (Socket socket : sockets) {
                    socket.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
