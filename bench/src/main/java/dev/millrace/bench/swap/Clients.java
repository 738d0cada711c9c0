// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.swap;

import dev.millrace.bench.promise.Connection;
import dev.millrace.runtime.Call;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.HdrHistogram.Histogram;

/// Connections that each ask the model again as soon as they were answered, and look at every answer.
///
/// Threads: a thread of its own asks; [#count(Tally)], [#pause()] and [#close()] are for one other. Ownership: it
/// closes its connections.
final class Clients implements AutoCloseable {
    private static final long LONGEST_NANOS = 60_000_000_000L;
    private static final long LOOK_MILLIS = 100;
    private static final long PATIENCE_MILLIS = 30_000;
    private static final int OK = 200;
    private static final String VERSION = "\"model_version\":\"";

    /// What became of requests. Written by the clients' thread, read while they pause.
    static final class Tally {
        private final Histogram nanos = new Histogram(LONGEST_NANOS, 3);
        private long failed;
        private long wrong;
        private String problem = "";

        long answered() {
            return nanos.getTotalCount();
        }

        /// Requests that were not answered, or otherwise than with 200.
        long failed() {
            return failed;
        }

        /// Answers of what was not live, or of nothing that ever was.
        long wrong() {
            return wrong;
        }

        /// What was the first of these; empty if there was none.
        String problem() {
            return problem;
        }

        long percentile(double percent) {
            return nanos.getValueAtPercentile(percent);
        }

        void failed(String how) {
            failed++;
            noted(how);
        }

        void wrong(String how) {
            wrong++;
            noted(how);
        }

        private void noted(String how) {
            if (problem.isEmpty()) {
                problem = how;
            }
        }
    }

    private final int port;
    private final SwappedModel model;
    private final Selector selector = Selector.open();
    private final List<Line> lines = new ArrayList<>();
    private final ByteBuffer[] requests = new ByteBuffer[SwappedModel.INPUTS];
    private final Thread thread;
    private int next;
    private volatile Tally tally;
    private volatile boolean pausing;
    private volatile boolean ending;
    /// Requests on their way; written by the clients' thread.
    private final AtomicInteger open = new AtomicInteger();

    /// Whether none is on its way, nor will be.
    private volatile boolean idle;

    private volatile Throwable problem;

    Clients(int port, int connections, SwappedModel model) throws IOException {
        this.port = port;
        this.model = model;
        for (int i = 0; i < requests.length; i++) {
            requests[i] = Connection.request(
                    SwappedModel.NAME, SwappedModel.INPUT, new long[] {1, 1}, new float[][] {{i}}, Call.NO_TIMEOUT);
        }
        for (int i = 0; i < connections; i++) {
            lines.add(new Line());
        }
        thread = Thread.ofPlatform().daemon().name("swap-clients").start(this::run);
    }

    /// Goes on, if they paused, and counts requests that begin from now on in `other`.
    void count(Tally other) {
        tally = other;
        idle = false;
        pausing = false;
        selector.wakeup();
    }

    /// Waits until all requests were answered, and sends no more.
    void pause() throws IOException {
        pausing = true;
        selector.wakeup();
        long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (open.get() > 0 || !idle) {
            if (problem != null) {
                throw new IOException("the clients ended", problem);
            }
            if (System.nanoTime() - end >= 0) {
                throw new IOException(open + " requests were not answered within " + PATIENCE_MILLIS + " ms: lost");
            }
            sleep(1);
        }
    }

    private void run() {
        try {
            while (!ending) {
                boolean sends = !pausing && tally != null;
                idle = !sends && open.get() == 0;
                if (sends) {
                    for (Line line : lines) {
                        line.send();
                    }
                }
                selector.select(key -> ((Line) key.attachment()).receive(), LOOK_MILLIS);
            }
        } catch (IOException | RuntimeException e) {
            problem = e;
        }
    }

    private static void sleep(long millis) throws IOException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        ending = true;
        selector.wakeup();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lines.forEach(line -> line.connection.close());
        selector.close();
    }

    /// A connection, and the request that is on it.
    private final class Line {
        private Connection connection;
        private Tally counted;
        private int input;
        private int oldest;
        private long start;

        Line() throws IOException {
            connect();
        }

        private void connect() throws IOException {
            connection = new Connection(port, false);
            connection.channel().register(selector, SelectionKey.OP_READ, this);
        }

        /// Sends a request, if none is on its way.
        void send() throws IOException {
            if (counted != null) {
                return;
            }
            counted = tally;
            input = next;
            next = (next + 1) % requests.length;
            oldest = model.settled();
            open.getAndIncrement();
            start = System.nanoTime();
            try {
                connection.send(requests[input]);
            } catch (IOException e) {
                lost(e);
            }
        }

        private void lost(IOException e) throws IOException {
            counted.failed("the connection was lost: " + e);
            counted = null;
            open.getAndDecrement();
            connection.close();
            connect();
        }

        void receive() {
            try {
                if (counted != null && !connection.receive()) {
                    return;
                }
                if (counted == null) {
                    throw new IOException("something came that nobody asked for");
                }
                judge(System.nanoTime() - start);
                counted = null;
                open.getAndDecrement();
                if (!pausing) {
                    send();
                }
            } catch (IOException e) {
                again(e);
            }
        }

        private void again(IOException e) {
            try {
                if (counted == null) {
                    counted = tally;
                    open.getAndIncrement();
                }
                lost(e);
            } catch (IOException other) {
                throw new UncheckedIOException(other);
            }
        }

        private void judge(long nanos) throws IOException {
            if (connection.status() != OK) {
                counted.failed(connection.status() + " " + connection.body());
                return;
            }
            counted.nanos.recordValue(Math.min(nanos, LONGEST_NANOS));
            String body = connection.body();
            int at = body.indexOf(VERSION) + VERSION.length();
            String version = body.substring(at, body.indexOf('"', at));
            String wrong = model.wrong(oldest, input, connection.first(), version);
            if (wrong != null) {
                counted.wrong(wrong);
            }
        }
    }
}
