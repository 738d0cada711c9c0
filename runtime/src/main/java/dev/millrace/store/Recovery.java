// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/// Brings a store's views to where they were: snapshots are mapped, and the logs since then
/// replayed.
///
/// Replaying a row that a snapshot has already does no harm: of two rows the newer one stays, of
/// equal ones that which came last. Threads: one. Ownership: the views, until they are taken.
final class Recovery {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final StoreFiles files;
    private final List<EmbeddedView> views = new ArrayList<>();
    private Manifest manifest;
    private long sequence;
    /// Of the last log: its number, where its last record ends, and where the logs that are needed
    /// begin.
    private long generation;

    private long position;
    private long logBytes;

    private Recovery(StoreFiles files) {
        this.files = files;
    }

    /// Makes views of what is there.
    ///
    /// @throws NoSuchFileException if there is no store
    /// @throws CorruptStoreException if a file is damaged
    static Recovery of(StoreFiles files) throws IOException {
        Recovery recovery = new Recovery(files);
        try {
            recovery.recover();
            return recovery;
        } catch (IOException | RuntimeException | Error e) {
            recovery.views.forEach(EmbeddedView::close);
            throw e;
        }
    }

    private void recover() throws IOException {
        manifest = Manifest.read(files);
        for (Manifest.Entry entry : manifest.views()) {
            views.add(new EmbeddedView(entry.schema(), views.size(), table(entry)));
        }
        sequence = manifest.sequence();
        List<Path> logs = files.logs(manifest.generation());
        for (int i = 0; i < logs.size(); i++) {
            generation = manifest.generation() + i;
            try (LogReader reader = new LogReader(logs.get(i), sequence)) {
                reader.read(generation, i == logs.size() - 1, this::replay);
                sequence = reader.sequence();
                position = reader.position();
                logBytes += position;
            }
        }
    }

    private Table table(Manifest.Entry entry) throws IOException {
        if (entry.rows().isEmpty()) {
            return empty(entry.schema(), entry.capacity());
        }
        Path file = files.resolve(entry.rows());
        try {
            return Snapshot.open(file, entry.schema());
        } catch (NoSuchFileException _) {
            throw new CorruptStoreException(file, "it is missing");
        }
    }

    /// A table without rows. Its seed is random, so that nobody can know keys that share a slot.
    static Table empty(ViewSchema schema, long capacity) {
        long seed = RandomGenerator.getDefault().nextLong();
        return Tables.allocate(TableShape.of(schema, capacity, seed));
    }

    private void replay(MemorySegment record) {
        switch (LogRecord.kind(record)) {
            case LogRecord.ROWS -> apply(views, record, LogRecord.HEADER, record.byteSize());
            case LogRecord.EXPIRY ->
                expire(
                        views.get((int) record.get(LONG, LogRecord.HEADER)),
                        record.get(LONG, LogRecord.HEADER + (long) Long.BYTES));
            default -> throw new IllegalStateException("a record of kind " + LogRecord.kind(record));
        }
    }

    /// Puts rows into tables, which grow where they have no room.
    static void apply(List<EmbeddedView> views, MemorySegment rows, long from, long to) {
        Entries.forEach(rows, from, to, views, (view, memory, key, row) -> {
            EmbeddedView target = views.get(view);
            Table table = target.table();
            if (table.taken() == table.shape().capacity() && !table.has(memory, key)) {
                target.reserve(1);
                table = target.table();
            }
            table.put(memory, key, row);
        });
    }

    static void expire(EmbeddedView view, long before) {
        view.retain(eventTime -> eventTime >= before);
    }

    /// The views; they are the caller's now.
    List<EmbeddedView> views() {
        return views;
    }

    Manifest manifest() {
        return manifest;
    }

    long sequence() {
        return sequence;
    }

    long generation() {
        return generation;
    }

    long position() {
        return position;
    }

    long logBytes() {
        return logBytes;
    }
}
