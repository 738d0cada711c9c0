// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.promise.Percentiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/// Clients that all behave badly in the same way, until they are cut. It is counted from the last byte that was taken
/// of a client that does not read, from the first of what comes slowly, and from the answer to one that is silent.
/// Threads: one starts and stops them, one moves them. Ownership: it closes their connections.
final class BadClients implements AutoCloseable {
    /// In a large request.
    static final int NUMBERS = 16_384;

    private static final int SMALL_BUFFER = 4096;
    private static final long STEP_NANOS = 20_000_000;
    private static final int HEAD_AND_A_BIT = 100;
    private static final String TOO_LATE = "HTTP/1.1 408";

    private final BackPressure.Kind kind;
    private final int port;
    private final int count;
    private final byte[] large = WholeModel.request(NUMBERS);
    private final byte[] small = WholeModel.request(1);
    private final List<Client> clients = new ArrayList<>();
    private final ByteBuffer answer = ByteBuffer.allocateDirect(SMALL_BUFFER);
    private volatile boolean stopping;
    private volatile IOException problem;
    private Thread thread;

    BadClients(BackPressure.Kind kind, int port, int count) {
        this.kind = kind;
        this.port = port;
        this.count = count;
    }

    /// Connects all of them, and has them moved.
    void start() throws IOException {
        for (int i = 0; i < count; i++) {
            clients.add(new Client());
        }
        thread = Thread.ofPlatform().daemon().name("bench-bad-clients").start(this::move);
    }

    private void move() {
        try {
            while (!stopping) {
                long next = System.nanoTime() + STEP_NANOS;
                for (Client client : clients) {
                    client.move();
                }
                LockSupport.parkNanos(next - System.nanoTime());
            }
        } catch (IOException e) {
            problem = e;
        }
    }

    /// Moves them no more.
    void stop() throws IOException {
        stopping = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (problem != null) {
            throw problem;
        }
    }

    /// How long after what it is counted from each was cut.
    Percentiles cut() {
        return Percentiles.of(cuts());
    }

    /// The shortest of these times; 0 if there is none.
    long earliest() {
        return cuts().min().orElse(0);
    }

    private LongStream cuts() {
        return clients.stream().filter(client -> client.cutAt != 0).mapToLong(client -> client.cutAt - client.from);
    }

    /// How many were told why.
    int told() {
        return (int) clients.stream().filter(client -> client.told).count();
    }

    /// What was taken of all.
    long sentBytes() {
        return clients.stream().mapToLong(client -> client.sent).sum();
    }

    @Override
    public void close() {
        stopping = true;
        clients.forEach(Client::close);
    }

    private final class Client {
        private final SocketChannel channel = SocketChannel.open();
        private final ByteBuffer out;
        private long from;
        private long cutAt;
        private long sent;
        private boolean told;

        Client() throws IOException {
            channel.setOption(StandardSocketOptions.SO_RCVBUF, SMALL_BUFFER);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.configureBlocking(false);
            out = ByteBuffer.wrap(
                    kind == BackPressure.Kind.NOT_READING || kind == BackPressure.Kind.SLOW_BODY ? large : small);
            from = System.nanoTime();
        }

        void move() throws IOException {
            if (cutAt != 0) {
                return;
            }
            try {
                switch (kind) {
                    case NOT_READING -> ask();
                    case SLOW_HEAD -> trickle(0);
                    case SLOW_BODY -> trickle(headBytes());
                    case SILENT -> beSilent();
                }
            } catch (IOException _) {
                // A reset.
                cutAt = System.nanoTime();
            }
        }

        /// As much as the connection takes.
        private void ask() throws IOException {
            int written;
            do {
                if (!out.hasRemaining()) {
                    out.clear();
                }
                written = channel.write(out);
                sent += written;
                from = written > 0 ? System.nanoTime() : from;
            } while (written > 0);
        }

        private int headBytes() {
            return large.length - WholeModel.body(NUMBERS).length + HEAD_AND_A_BIT;
        }

        /// So many bytes at once, and then one by one.
        private void trickle(int atOnce) throws IOException {
            if (sent == 0) {
                from = System.nanoTime();
            }
            out.limit(Math.max(atOnce, out.position() + 1));
            sent += channel.write(out);
            look();
        }

        private void beSilent() throws IOException {
            if (out.hasRemaining()) {
                sent += channel.write(out);
            }
            look();
        }

        /// Whether something came, or the end.
        private void look() throws IOException {
            answer.clear();
            int read = channel.read(answer);
            if (read < 0) {
                cutAt = System.nanoTime();
            } else if (read > 0) {
                String text = StandardCharsets.US_ASCII.decode(answer.flip()).toString();
                told |= text.startsWith(TOO_LATE);
                from = kind == BackPressure.Kind.SILENT ? System.nanoTime() : from;
            }
        }

        void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
