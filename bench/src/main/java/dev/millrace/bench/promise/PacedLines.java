// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.route.Fixture;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// Connections that each ask for a row at a constant rate, and sleep in between: where there are few processors, a
/// generator that spins would take one of them from everybody else. Every answer's first number is compared with the
/// floor's.
///
/// A request is timed from when it is sent. One that could not be sent when it was due, because the one before was not
/// answered, is timed from when it was due; so nothing is gained by answering late.
///
/// Threads: one per connection while they ask; [#ask] is for one other. Ownership: it closes its connections.
public final class PacedLines implements AutoCloseable {
    private static final int OK = 200;
    private static final int TOO_MANY = 429;

    private final Questions questions;
    private final ByteBuffer[] requests;
    /// Right answers, so that they need not be read again: garbage of the generator's would be pauses of the server's.
    private final byte[][] known;

    private final List<Connection> connections = new ArrayList<>();

    /// What became of requests.
    ///
    /// @param nanos how long each took that was answered
    /// @param failed how many were answered otherwise than with 200, or wrong
    /// @param refused how many of these with 429
    /// @param problem the first of these; empty if there was none
    /// @param seconds it took in all
    public record Answers(long[] nanos, int failed, int refused, String problem, double seconds) {
        /// Requests per second, whatever was answered.
        public double perSecond() {
            return nanos.length / seconds;
        }

        /// How long they took.
        public Percentiles percentiles() {
            return Percentiles.of(Arrays.stream(nanos));
        }
    }

    public PacedLines(int port, Fixture fixture, Questions questions, int count) throws IOException {
        this(port, questions, requests(fixture, questions), count);
    }

    /// @param requests the first row of each is the question of its place
    public PacedLines(int port, Questions questions, ByteBuffer[] requests, int count) throws IOException {
        this.questions = questions;
        this.requests = requests;
        this.known = new byte[requests.length][];
        for (int i = 0; i < count; i++) {
            connections.add(new Connection(port, true));
        }
    }

    private static ByteBuffer[] requests(Fixture fixture, Questions questions) {
        ByteBuffer[] requests = new ByteBuffer[questions.count()];
        for (int row = 0; row < requests.length; row++) {
            requests[row] = HttpStation.request(fixture, Station.NO_TIMEOUT, questions.row(row));
        }
        return requests;
    }

    /// Asks on a few of the connections as fast as answers come.
    public Answers saturate(int few, long nanos) throws IOException {
        return ask(connections.subList(0, few), Double.POSITIVE_INFINITY, nanos);
    }

    /// Asks for so long.
    ///
    /// @param rate requests per second, by all connections together
    public Answers ask(double rate, long nanos) throws IOException {
        return ask(connections, rate, nanos);
    }

    private Answers ask(List<Connection> connections, double rate, long nanos) throws IOException {
        long gap = (long) (connections.size() * 1e9 / rate);
        long start = System.nanoTime();
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < connections.size(); i++) {
            lines.add(new Line(connections.get(i), i, start + gap * i / connections.size(), start + nanos, gap));
        }
        List<Thread> threads = lines.stream()
                .map(line -> Thread.ofPlatform().daemon().start(line))
                .toList();
        for (Thread thread : threads) {
            join(thread);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        int count = 0;
        for (Line line : lines) {
            if (line.lost != null) {
                throw line.lost;
            }
            count += line.count;
        }
        long[] all = new long[count];
        int failed = 0;
        int refused = 0;
        String problem = "";
        for (Line line : lines) {
            count -= line.count;
            System.arraycopy(line.nanos, 0, all, count, line.count);
            failed += line.failed;
            refused += line.refused;
            problem = problem.isEmpty() ? line.problem : problem;
        }
        return new Answers(all, failed, refused, problem, seconds);
    }

    private static void join(Thread thread) throws IOException {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() {
        connections.forEach(Connection::close);
    }

    /// A connection that asks.
    private final class Line implements Runnable {
        private final Connection connection;
        private final long end;
        private final long gap;
        private long due;
        private int request;
        private long[] nanos = new long[1 << 12];
        private int count;
        private int failed;
        private int refused;
        private String problem = "";
        private IOException lost;

        Line(Connection connection, int first, long due, long end, long gap) {
            this.connection = connection;
            this.request = first;
            this.due = due;
            this.end = end;
            this.gap = gap;
        }

        @Override
        public void run() {
            try {
                long now = System.nanoTime();
                // What was due before the end is asked even if it is late.
                for (long begin = due; (gap == 0 ? now : begin) - end < 0; begin = due) {
                    while (now - due < 0) {
                        LockSupport.parkNanos(due - now);
                        now = System.nanoTime();
                        begin = now;
                    }
                    begin = gap == 0 ? now : begin;
                    ask();
                    now = System.nanoTime();
                    note(now - begin);
                    due += gap;
                }
            } catch (IOException e) {
                lost = e;
            }
        }

        private void ask() throws IOException {
            int asked = request++ % requests.length;
            if (connection.isAnswered(requests[asked], known[asked])) {
                return;
            }
            if (connection.status() == OK && questions.isRight(asked, connection.first())) {
                known[asked] = connection.bytes();
            } else {
                failed++;
                refused += connection.status() == TOO_MANY ? 1 : 0;
                problem = connection.status() + " " + connection.body();
            }
        }

        private void note(long taken) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * count);
            }
            nanos[count++] = taken;
        }
    }
}
