// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.route.Fixture;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// A server asked over many connections, each for one request at a time. Every answer's first number is compared with
/// the floor's.
///
/// Threads: the generator's. Ownership: it closes its connections.
public final class HttpStation implements Station {
    private static final int CONNECTIONS = 1280;

    private final Fixture fixture;
    private final Questions questions;
    private final Selector selector;
    private final List<Line> lines = new ArrayList<>();
    private final ArrayDeque<Line> free = new ArrayDeque<>();
    private ByteBuffer[] requests = {};

    HttpStation(int port, Fixture fixture, Questions questions) throws IOException {
        this.fixture = fixture;
        this.questions = questions;
        this.selector = Selector.open();
        for (int i = 0; i < CONNECTIONS; i++) {
            Line line = new Line(new Connection(port, false));
            line.connection.channel().register(selector, SelectionKey.OP_READ, line);
            lines.add(line);
            free.add(line);
        }
    }

    @Override
    public void timeout(long nanos) {
        requests = new ByteBuffer[questions.count()];
        for (int row = 0; row < requests.length; row++) {
            requests[row] = request(fixture, nanos, questions.row(row));
        }
    }

    /// A request to a model of one input.
    public static ByteBuffer request(Fixture fixture, long timeoutNanos, float[]... rows) {
        TensorSpec input = fixture.signature().inputs().getFirst();
        long[] shape = input.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = rows.length;
        return Connection.request(fixture.name(), input.name(), shape, rows, timeoutNanos);
    }

    @Override
    public Outcome submit(Ledger ledger, int request) {
        while (free.isEmpty()) {
            idle();
        }
        Line line = free.poll();
        line.ledger = ledger;
        line.request = request;
        try {
            line.connection.send(requests[request % requests.length]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Outcome.OK;
    }

    @Override
    public void idle() {
        try {
            if (selector.selectNow(key -> ((Line) key.attachment()).read()) == 0) {
                Thread.yield();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        lines.forEach(line -> line.connection.close());
        try {
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A connection, and which request is on it.
    private final class Line {
        private final Connection connection;
        private Ledger ledger;
        private int request;

        Line(Connection connection) {
            this.connection = connection;
        }

        void read() {
            try {
                if (connection.receive()) {
                    end(System.nanoTime());
                    free.push(this);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void end(long now) throws IOException {
            switch (connection.status()) {
                case 200 -> {
                    if (!questions.isRight(request, connection.first())) {
                        ledger.wrong();
                    }
                    ledger.ended(request, Outcome.OK, now);
                }
                case 429 -> ledger.refused(request, Outcome.OVERLOADED, now);
                case 504 -> ledger.ended(request, Outcome.EXPIRED, now);
                default ->
                    throw new IOException(
                            "a request was answered with " + connection.status() + ": " + connection.body());
            }
        }
    }
}
