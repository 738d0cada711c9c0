// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Gate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/// Requests that are always on their way while something else is measured: each client asks for its next row as soon
/// as it was answered, on a thread of its own.
///
/// Threads: [#rows()] any, the rest one. Ownership: the clients are the caller's, who uses them again after the end.
final class HttpBackground implements AutoCloseable {
    private final LongAdder rows = new LongAdder();
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopping;

    /// One who asks.
    ///
    /// @param client asks for single rows
    /// @param rows how many different ones there are
    record Client(Contestant client, int rows) {}

    /// Starts to ask.
    HttpBackground(List<Client> clients) {
        for (Client each : clients) {
            threads.add(Thread.ofPlatform().daemon().name("background").start(() -> ask(each)));
        }
    }

    private void ask(Client client) {
        try {
            for (int row = 0; !stopping; row = row + 1 == client.rows() ? 0 : row + 1) {
                client.client().run(row);
                rows.increment();
            }
        } catch (RuntimeException e) {
            failure.compareAndSet(null, e);
        }
    }

    /// How many rows were answered so far.
    long rows() {
        return rows.sum();
    }

    /// Ends it, after the last answers.
    ///
    /// @throws Gate.Refusal if a row was not answered
    @Override
    public void close() {
        stopping = true;
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        if (failure.get() != null) {
            throw new Gate.Refusal("in the background: " + failure.get().getMessage(), failure.get());
        }
    }
}
