// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.store;

import dev.millrace.bench.report.Section;
import dev.millrace.store.Durability;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewReader;
import dev.millrace.store.ViewStatistics;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/// Times single reads of random entities, by turns with reads of a mapped file of the same size and
/// with nothing at all, first alone and then while updates come in. Every row that is read is
/// checked.
///
/// Threads: one.
public final class StoreReads {
    /// Updates per second, and of one batch.
    static final long RATE = 50_000;

    static final int BATCH_ROWS = 500;

    private final long entities;
    private final int rounds;
    private final long turnNanos;
    private final PrintStream progress;

    /// @param rounds how often each has its turn
    /// @param turnMillis how long one is
    public StoreReads(long entities, int rounds, int turnMillis, PrintStream progress) {
        this.entities = entities;
        this.rounds = rounds;
        this.turnNanos = turnMillis * 1_000_000L;
        this.progress = progress;
    }

    /// What is timed.
    enum What {
        /// Taking the time twice.
        CLOCK,
        /// The mapped file.
        MAPPED,
        /// The store.
        STORE
    }

    /// Reads of one kind.
    ///
    /// @param writing whether updates came in
    record Timed(What what, boolean writing, long reads, long p50, long p90, long p99, long p999, long max) {}

    /// All that was found.
    ///
    /// @param timed by kind
    /// @param reached of the updates
    /// @param checkpoints that were taken while updates came in
    /// @param loadNanos for all entities, durably
    /// @param openNanos to open the store with all entities, its files in the system's cache
    record Findings(
            long entities,
            ViewStatistics view,
            List<Timed> timed,
            Updates.Reached reached,
            long checkpoints,
            long loadNanos,
            long openNanos) {}

    /// Measures.
    ///
    /// @throws IllegalStateException if a row is not what was written
    public Section measure() throws IOException {
        Path folder = Files.createTempDirectory("millrace-store");
        try {
            return new StoreReport(measure(folder));
        } finally {
            delete(folder);
        }
    }

    private Findings measure(Path folder) throws IOException {
        Path files = folder.resolve("store");
        StoreOptions options = StoreOptions.DEFAULT.durability(Durability.DISK).capacity(entities);
        long started = System.nanoTime();
        try (EmbeddedStore store = EmbeddedStore.open(files, options, Entities.SCHEMA)) {
            load(store);
        }
        long loadNanos = System.nanoTime() - started;
        started = System.nanoTime();
        try (EmbeddedStore store = EmbeddedStore.open(files, options)) {
            return measure(store, folder, loadNanos, System.nanoTime() - started);
        }
    }

    private Findings measure(EmbeddedStore store, Path folder, long loadNanos, long openNanos) throws IOException {
        View view = store.view(Entities.SCHEMA.name());
        gate(view);
        progress.println("every entity is there and right");
        ViewStatistics statistics = view.statistics();
        try (MappedFloor floor = new MappedFloor(
                        folder.resolve("floor"),
                        statistics.bytes(),
                        view.schema().rowBytes());
                ViewReader reader = view.reader()) {
            List<Timed> timed = new ArrayList<>(rounds(false, floor, reader));
            long before = store.statistics().checkpoints();
            Updates updates = new Updates(store, entities, RATE, BATCH_ROWS);
            writing(updates, () -> timed.addAll(rounds(true, floor, reader)));
            Updates.Reached reached = updates.end();
            long checkpoints = store.statistics().checkpoints() - before;
            gate(view);
            return new Findings(entities, statistics, timed, reached, checkpoints, loadNanos, openNanos);
        }
    }

    private static void writing(Updates updates, Runnable work) {
        try (updates) {
            work.run();
        }
    }

    private void load(EmbeddedStore store) throws IOException {
        View view = store.view(Entities.SCHEMA.name());
        WriteBatch batch = new WriteBatch();
        for (long entity = 0; entity < entities; entity++) {
            Entities.add(batch, view, entity, 0);
            if (batch.rows() == 5_000 || entity == entities - 1) {
                store.write(batch);
                batch.clear();
            }
        }
    }

    private void gate(View view) {
        try (ViewReader reader = view.reader()) {
            for (long entity = 0; entity < entities; entity++) {
                check(entity, reader.find(Entities.key(entity)), reader);
            }
            for (long entity = entities; entity < entities + 1000; entity++) {
                if (reader.find(Entities.key(entity))) {
                    throw new IllegalStateException("entity " + entity + " is there and was never written");
                }
            }
        }
    }

    private static void check(long entity, boolean found, ViewReader reader) {
        if (!found || !Entities.isRight(entity, reader.row())) {
            throw new IllegalStateException("entity " + entity + (found ? " is wrong" : " is not there"));
        }
    }

    private List<Timed> rounds(boolean writing, MappedFloor floor, ViewReader reader) {
        List<Histogram> all =
                Stream.of(What.values()).map(_ -> new Histogram(3)).toList();
        // The first round is not counted.
        for (int round = 0; round <= rounds; round++) {
            for (What what : What.values()) {
                Histogram times = round == 0 ? new Histogram(3) : all.get(what.ordinal());
                turn(what, new SplittableRandom(round), times, floor, reader);
            }
        }
        List<Timed> timed = new ArrayList<>();
        for (What what : What.values()) {
            Histogram times = all.get(what.ordinal());
            timed.add(new Timed(
                    what,
                    writing,
                    times.getTotalCount(),
                    times.getValueAtPercentile(50),
                    times.getValueAtPercentile(90),
                    times.getValueAtPercentile(99),
                    times.getValueAtPercentile(99.9),
                    times.getMaxValue()));
            progress.println((writing ? "writing: " : "alone: ") + timed.getLast());
        }
        return timed;
    }

    private void turn(What what, SplittableRandom random, Histogram times, MappedFloor floor, ViewReader reader) {
        long end = System.nanoTime() + turnNanos;
        long before;
        do {
            long entity = random.nextLong(entities);
            long hash = random.nextLong();
            long key = Entities.key(entity);
            long after;
            boolean right;
            switch (what) {
                case CLOCK -> {
                    before = System.nanoTime();
                    after = System.nanoTime();
                    right = true;
                }
                case MAPPED -> {
                    before = System.nanoTime();
                    floor.read(hash);
                    after = System.nanoTime();
                    right = floor.isRight(hash);
                }
                case STORE -> {
                    before = System.nanoTime();
                    boolean found = reader.find(key);
                    after = System.nanoTime();
                    right = found && Entities.isRight(entity, reader.row());
                }
                default -> throw new IllegalStateException(what.name());
            }
            if (!right) {
                throw new IllegalStateException(what + ": entity " + entity + " or place of " + hash + " is wrong");
            }
            times.recordValue(after - before);
        } while (before < end);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
