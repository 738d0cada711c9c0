// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.store;

import dev.millrace.store.FeatureStore;
import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/// Writes updates of random entities at a fixed rate, in an open loop: a batch is due at its time
/// whether the last one was acknowledged or not, and what it is late counts.
///
/// Threads: it has one of its own, from its making until it is closed.
final class Updates implements AutoCloseable {
    private final FeatureStore store;
    private final View view;
    private final long entities;
    private final int batchRows;
    private final long periodNanos;
    private final Histogram late = new Histogram(3);
    private final Thread thread;
    private volatile boolean ended;
    private volatile IOException failure;
    private long rows;
    private long nanos;

    /// @param rate updates per second
    /// @param batchRows updates in a batch
    Updates(FeatureStore store, long entities, long rate, int batchRows) {
        this.store = store;
        this.view = store.view(Entities.SCHEMA.name());
        this.entities = entities;
        this.batchRows = batchRows;
        this.periodNanos = batchRows * 1_000_000_000L / rate;
        this.thread = Thread.ofPlatform().name("updates").start(this::run);
    }

    private void run() {
        SplittableRandom random = new SplittableRandom(11);
        WriteBatch batch = new WriteBatch();
        long start = System.nanoTime();
        try {
            for (long number = 0; !ended; number++) {
                batch.clear();
                for (int i = 0; i < batchRows; i++) {
                    Entities.add(batch, view, random.nextLong(entities), number + 1);
                }
                long due = start + number * periodNanos;
                for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                store.write(batch);
                late.recordValue(Math.max(0, System.nanoTime() - due));
                rows += batchRows;
            }
        } catch (IOException e) {
            failure = e;
        }
        nanos = System.nanoTime() - start;
    }

    /// What it came to; it ends now.
    Reached end() throws IOException {
        close();
        if (failure != null) {
            throw failure;
        }
        return new Reached(
                rows,
                rows * 1e9 / nanos,
                late.getValueAtPercentile(50),
                late.getValueAtPercentile(99),
                late.getMaxValue());
    }

    @Override
    public void close() {
        ended = true;
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// What was written, and how long after they were due batches were acknowledged.
    ///
    /// @param rows all updates
    /// @param perSecond updates
    record Reached(long rows, double perSecond, long p50Nanos, long p99Nanos, long maxNanos) {}
}
