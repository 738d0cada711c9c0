// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;

/// A connection on which a case decides about every byte. Threads: one; any may close it, which ends what that one
/// waits for.
final class Wire implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    Wire(Address address, Duration timeout) throws IOException {
        int millis = Math.toIntExact(timeout.toMillis());
        socket = new Socket();
        socket.connect(new InetSocketAddress(address.host(), address.port()), millis);
        Socket used = address.secured(socket);
        used.setTcpNoDelay(true);
        used.setSoTimeout(millis);
        in = new BufferedInputStream(used.getInputStream());
        out = used.getOutputStream();
    }

    /// Sends bytes as a packet of their own, as far as that can be had.
    Wire send(byte[] bytes) throws IOException {
        return send(bytes, 0, bytes.length);
    }

    Wire send(byte[] bytes, int from, int to) throws IOException {
        out.write(bytes, from, to - from);
        out.flush();
        return this;
    }

    /// The next answer.
    Message read() throws IOException {
        return Message.readResponse(in);
    }

    /// Whether anything comes, or the connection is closed, within a time.
    boolean hears(Duration time) throws IOException {
        int before = socket.getSoTimeout();
        in.mark(1);
        try {
            socket.setSoTimeout(Math.toIntExact(time.toMillis()));
            in.read();
            in.reset();
            return true;
        } catch (SocketTimeoutException _) {
            return false;
        } finally {
            socket.setSoTimeout(before);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException _) {
            // it is of no use any more, either way
        }
    }
}
