// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.runtime.Call;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// A connection to the server, for one request at a time. It understands what the server answers, and nothing else.
///
/// Threads: one. Ownership: it closes its socket.
public final class Connection implements AutoCloseable {
    private static final int MOST = 1 << 16;
    private static final String END = "\r\n\r\n";
    private static final String LENGTH = "content-length:";
    private static final String DATA = "\"data\":[";

    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocate(MOST);
    private String head = "";
    private String body = "";

    /// @param port where the server listens on this machine
    /// @param blocking whether [#receive()] waits
    public Connection(int port, boolean blocking) throws IOException {
        channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(blocking);
    }

    /// For selectors; nobody else reads or writes.
    public SocketChannel channel() {
        return channel;
    }

    /// Sends a request, head and body; the buffer is as it was.
    public void send(ByteBuffer request) throws IOException {
        ByteBuffer bytes = request.duplicate();
        in.clear();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// Reads what there is, and whether the answer is complete now.
    public boolean receive() throws IOException {
        read();
        return isComplete();
    }

    private void read() throws IOException {
        if (channel.read(in) < 0) {
            throw new EOFException("the server closed a connection");
        }
    }

    private boolean isComplete() throws IOException {
        String text = new String(in.array(), 0, in.position(), StandardCharsets.UTF_8);
        int end = text.indexOf(END);
        if (end < 0) {
            return false;
        }
        head = text.substring(0, end).toLowerCase(Locale.ROOT);
        body = text.substring(end + END.length());
        return body.getBytes(StandardCharsets.UTF_8).length >= length();
    }

    private int length() throws IOException {
        int at = head.indexOf(LENGTH);
        if (at < 0) {
            throw new IOException("an answer of unknown length: " + head);
        }
        int end = head.indexOf('\r', at);
        return Integer.parseInt(head.substring(at + LENGTH.length(), end < 0 ? head.length() : end)
                .strip());
    }

    /// Sends a request and waits for the answer.
    ///
    /// @return the status
    int exchange(ByteBuffer request) throws IOException {
        send(request);
        while (!receive()) {
            Thread.onSpinWait();
        }
        return status();
    }

    /// Sends a request and waits for the answer, on a connection whose [#receive()] waits. Nothing is read out of an
    /// answer that is known, and no garbage is made.
    ///
    /// @param known what may come, byte for byte; null if nothing is known
    /// @return whether it was that; otherwise the answer is there as ever
    boolean isAnswered(ByteBuffer request, byte[] known) throws IOException {
        send(request);
        boolean same;
        do {
            read();
            int length = in.position();
            same = known != null && length <= known.length && Arrays.equals(in.array(), 0, length, known, 0, length);
            if (same && length == known.length) {
                return true;
            }
        } while (same || !isComplete());
        return false;
    }

    /// The answer as it came.
    byte[] bytes() {
        return Arrays.copyOf(in.array(), in.position());
    }

    /// The status of the answer.
    public int status() {
        return Integer.parseInt(head.substring(head.indexOf(' ') + 1).split("[ \r]")[0]);
    }

    /// The body of the answer.
    public String body() {
        return body;
    }

    /// The first number of the first output.
    public float first() throws IOException {
        int at = body.indexOf(DATA);
        if (at < 0) {
            throw new IOException("an answer without data: " + body);
        }
        return Float.parseFloat(body.substring(at + DATA.length()).split("[,\\]]", 2)[0]);
    }

    /// A whole request to a model.
    ///
    /// @param shape of the input, rows first
    /// @param timeoutNanos its deadline, counted by the server; [dev.millrace.runtime.Call#NO_TIMEOUT] for none
    public static ByteBuffer request(String model, String input, long[] shape, float[][] rows, long timeoutNanos) {
        StringBuilder body = new StringBuilder("{");
        if (timeoutNanos != Call.NO_TIMEOUT) {
            body.append("\"parameters\":{\"timeout\":")
                    .append(timeoutNanos / 1000)
                    .append("},");
        }
        body.append("\"inputs\":[{\"name\":\"").append(input).append("\",\"datatype\":\"FP32\",\"shape\":");
        body.append(Arrays.toString(shape).replace(" ", "")).append(",\"data\":[");
        String comma = "";
        for (float[] row : rows) {
            for (float value : row) {
                body.append(comma).append(value);
                comma = ",";
            }
        }
        body.append("]}]}");
        String head = "POST /v2/models/" + model + "/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
                + " application/json\r\nContent-Length: " + body.length() + END;
        return ByteBuffer.wrap((head + body).getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
