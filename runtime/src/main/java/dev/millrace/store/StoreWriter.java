// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What changes an [EmbeddedStore]. Whoever writes queues its batch and waits for its turn; who has
/// the turn writes all batches that are queued as one record of the log, so that those who wait
/// share the disk's time.
///
/// Threads: any. Ownership: the log, the lock on the folder, and the thread that takes checkpoints.
final class StoreWriter {
    private static final Logger LOG = LoggerFactory.getLogger(StoreWriter.class);
    /// A log that is longer has a checkpoint taken when the store is closed.
    private static final int SHORT_LOG = 1 << 20;

    private final StoreFiles files;
    private final FileChannel lock;
    private final StoreOptions options;
    private final List<EmbeddedView> views;
    private final ExecutorService checkpointer = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("millrace-store").factory());
    private final Queue<Write> queue = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean requested = new AtomicBoolean();
    private final AtomicLong checkpoints = new AtomicLong();
    /// Guards all that follows, and the tables' writer.
    private final ReentrantLock turn = new ReentrantLock();

    private WriteAheadLog log;
    private boolean closed;
    /// Why nothing can be written any more.
    private Throwable failure;
    /// Only the checkpointer changes it.
    private volatile Manifest manifest;

    /// A batch that somebody waits for.
    private static final class Write {
        private final WriteBatch batch;
        /// Guarded by the turn.
        private boolean done;

        private long sequence;
        private Throwable failure;

        Write(WriteBatch batch) {
            this.batch = batch;
        }

        long result() throws IOException {
            switch (failure) {
                case null -> {
                    return sequence;
                }
                // It may be another thread's as well.
                case IOException e -> throw new IOException(e.getMessage(), e);
                default -> throw new IllegalStateException(failure.getMessage(), failure);
            }
        }
    }

    StoreWriter(
            StoreFiles files,
            FileChannel lock,
            StoreOptions options,
            List<EmbeddedView> views,
            Manifest manifest,
            WriteAheadLog log) {
        this.files = files;
        this.lock = lock;
        this.options = options;
        this.views = List.copyOf(views);
        this.manifest = manifest;
        this.log = log;
    }

    long write(WriteBatch batch) throws IOException {
        Entries.check(batch.memory(), 0, batch.bytes(), views);
        Write write = new Write(batch);
        queue.add(write);
        turn.lock();
        try {
            while (!write.done) {
                commit(group());
            }
        } finally {
            turn.unlock();
        }
        return write.result();
    }

    private List<Write> group() {
        List<Write> group = new ArrayList<>();
        long bytes = 0;
        for (Write next = queue.peek(); next != null; next = queue.peek()) {
            bytes += next.batch.bytes();
            if (bytes > WriteBatch.MAX_BYTES && !group.isEmpty()) {
                break;
            }
            group.add(queue.remove());
        }
        return group;
    }

    private void commit(List<Write> group) {
        try {
            long sequence = append(group.stream().map(write -> write.batch).toList());
            group.forEach(write -> write.sequence = sequence);
        } catch (IOException | RuntimeException | Error e) {
            group.forEach(write -> write.failure = e);
        }
        group.forEach(write -> write.done = true);
    }

    private long append(List<WriteBatch> batches) throws IOException {
        requireUsable();
        reserve(batches);
        long sequence = log.append(batches);
        try {
            acknowledge();
            for (WriteBatch batch : batches) {
                Recovery.apply(views, batch.memory(), 0, batch.bytes());
            }
        } catch (IOException | RuntimeException | Error e) {
            // It is in the log, but whether it is on the disk, or in the tables, nobody knows.
            failure = e;
            throw e;
        }
        if (log.bytes() > options.logBytes() && requested.compareAndSet(false, true)) {
            checkpointer.execute(this::checkpointQuietly);
        }
        return sequence;
    }

    private void acknowledge() throws IOException {
        if (options.durability() == Durability.DISK) {
            log.force();
        }
    }

    /// Has tables grow before anything is in the log: later it must not fail.
    private void reserve(List<WriteBatch> batches) {
        long[] rows = new long[views.size()];
        for (WriteBatch batch : batches) {
            Entries.forEach(batch.memory(), 0, batch.bytes(), views, (view, _, _, _) -> rows[view]++);
        }
        for (EmbeddedView view : views) {
            Table table = view.table();
            if (table.taken() + rows[view.id()] <= table.shape().capacity()) {
                continue;
            }
            long[] unknown = new long[1];
            for (WriteBatch batch : batches) {
                Entries.forEach(
                        batch.memory(),
                        0,
                        batch.bytes(),
                        views,
                        (of, memory, key, _) -> unknown[0] += of == view.id() && !table.has(memory, key) ? 1 : 0);
            }
            view.reserve(unknown[0]);
        }
    }

    void expire(int view, long before) throws IOException {
        turn.lock();
        try {
            requireUsable();
            log.appendExpiry(view, before);
            try {
                acknowledge();
                Recovery.expire(views.get(view), before);
            } catch (IOException | RuntimeException | Error e) {
                failure = e;
                throw e;
            }
        } finally {
            turn.unlock();
        }
    }

    private void requireUsable() {
        if (closed) {
            throw new IllegalStateException("the store is closed");
        }
        requireNoFailure();
    }

    private void requireNoFailure() {
        if (failure != null) {
            throw new IllegalStateException(
                    "nothing can be written until the store is opened anew, as a write failed: " + failure, failure);
        }
    }

    /// Takes a checkpoint and waits for it. It is taken by a thread that nobody interrupts.
    void checkpoint() throws IOException {
        turn.lock();
        try {
            requireUsable();
        } finally {
            turn.unlock();
        }
        Future<?> done = checkpointer.submit(() -> {
            takeCheckpoint();
            return null;
        });
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    done.get();
                    return;
                } catch (InterruptedException _) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw new IOException(
                            "the checkpoint failed: " + e.getCause().getMessage(), e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void checkpointQuietly() {
        requested.set(false);
        try {
            takeCheckpoint();
        } catch (IOException | RuntimeException e) {
            LOG.warn("a checkpoint of the feature store failed, the log grows on: {}", e.toString());
        }
    }

    private void takeCheckpoint() throws IOException {
        List<Table> tables = new ArrayList<>();
        try {
            Manifest now = beginLog(tables);
            List<Manifest.Entry> entries = new ArrayList<>();
            for (EmbeddedView view : views) {
                Path file = files.rows(view.id(), now.generation());
                Table table = tables.get(view.id());
                Snapshot.write(file, view.schema(), table);
                entries.add(new Manifest.Entry(
                        view.schema(),
                        file.getFileName().toString(),
                        table.shape().capacity()));
            }
            // The names of the snapshots first, then that which has them.
            files.force();
            Manifest next = new Manifest(now.generation(), now.sequence(), entries);
            next.write(files);
            manifest = next;
            files.clean(next.generation(), next.rows());
            checkpoints.incrementAndGet();
        } finally {
            tables.forEach(Table::release);
        }
    }

    /// Ends the log and begins the next one. The tables, which are held then, have at least what
    /// was written before.
    private Manifest beginLog(List<Table> tables) throws IOException {
        turn.lock();
        try {
            requireNoFailure();
            log.force();
            long generation = log.generation() + 1;
            Path file = files.log(generation);
            WriteAheadLog next = null;
            try {
                next = WriteAheadLog.create(file, generation, log.sequence());
                files.force();
            } catch (IOException e) {
                if (next != null) {
                    next.close();
                }
                // The log that goes on must stay the last one.
                Files.deleteIfExists(file);
                throw e;
            }
            WriteAheadLog old = log;
            log = next;
            old.close();
            views.forEach(view -> tables.add(view.held()));
            return new Manifest(generation, old.sequence(), manifest.views());
        } finally {
            turn.unlock();
        }
    }

    StoreStatistics statistics(long fileBytes) {
        turn.lock();
        try {
            return new StoreStatistics(log.sequence(), log.bytes(), fileBytes, checkpoints.get());
        } finally {
            turn.unlock();
        }
    }

    void close() throws IOException {
        boolean isWorthCheckpoint;
        turn.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            isWorthCheckpoint = failure == null && log.bytes() > SHORT_LOG;
        } finally {
            turn.unlock();
        }
        if (isWorthCheckpoint) {
            checkpointer.execute(this::checkpointQuietly);
        }
        checkpointer.close();
        try (lock;
                WriteAheadLog last = log) {
            if (failure == null) {
                last.force();
            }
        }
    }
}
