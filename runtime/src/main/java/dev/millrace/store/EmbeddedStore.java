// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A feature store in this process and a folder: one process writes, its threads read rows from
/// memory.
///
/// A batch is acknowledged when it is in the log, and the log on the disk ([Durability]). Then it
/// goes into tables in memory, one for each view. Now and then these are written as snapshots, and
/// the log begins anew. When a store is opened its snapshots are mapped, each page is copied when
/// it is first written to, and the log is replayed; what a crash left of a record is cut off.
///
/// Threads: any may write and read, each with a [ViewReader] of its own. One thread takes
/// checkpoints. Ownership: it holds the tables' memory, the log and the lock on the folder until it
/// is closed.
public final class EmbeddedStore implements FeatureStore {
    private static final int ATTEMPTS = 20;

    private final StoreFiles files;
    private final List<EmbeddedView> views;
    private final Optional<StoreWriter> writer;
    private final long sequence;
    private final long logBytes;

    private EmbeddedStore(StoreFiles files, Recovery recovered, Optional<StoreWriter> writer) {
        this.files = files;
        this.views = List.copyOf(recovered.views());
        this.writer = writer;
        this.sequence = recovered.sequence();
        this.logBytes = recovered.logBytes();
    }

    /// Opens a store to write and read, and makes it if there is none.
    ///
    /// @param schemas views that are made if they are not there yet. Views that are not named
    ///     are there as well
    /// @throws SchemaMismatchException if a view has another schema than it is asked for with
    /// @throws CorruptStoreException if a file is damaged
    /// @throws IOException if the folder holds something else, cannot be read or written, or is
    ///     written to by others
    public static EmbeddedStore open(Path folder, StoreOptions options, ViewSchema... schemas) throws IOException {
        requireDistinct(schemas);
        Files.createDirectories(folder);
        StoreFiles files = new StoreFiles(folder);
        FileChannel lock = files.lock();
        Recovery recovered = null;
        try {
            if (!Files.exists(files.manifest())) {
                create(files, folder);
            }
            recovered = Recovery.of(files);
            Manifest manifest = withViews(recovered, options, schemas);
            if (!manifest.equals(recovered.manifest())) {
                manifest.write(files);
            }
            files.clean(manifest.generation(), manifest.rows());
            WriteAheadLog log = recovered.position() == 0
                    ? WriteAheadLog.create(
                            files.log(recovered.generation()), recovered.generation(), recovered.sequence())
                    : WriteAheadLog.resume(
                            files.log(recovered.generation()),
                            recovered.generation(),
                            recovered.position(),
                            recovered.sequence());
            files.force();
            StoreWriter writer = new StoreWriter(files, lock, options, recovered.views(), manifest, log);
            return new EmbeddedStore(files, recovered, Optional.of(writer));
        } catch (IOException | RuntimeException | Error e) {
            if (recovered != null) {
                recovered.views().forEach(EmbeddedView::close);
            }
            lock.close();
            throw e;
        }
    }

    /// Opens a store to read what is in it now, also while another process writes to it. What is
    /// written later is not seen. Nothing is changed in the folder.
    ///
    /// @throws NoSuchFileException if there is no store
    /// @throws CorruptStoreException if a file is damaged
    public static EmbeddedStore openToRead(Path folder) throws IOException {
        StoreFiles files = new StoreFiles(folder);
        if (!Files.exists(files.manifest())) {
            throw new NoSuchFileException(folder.toString(), null, "there is no feature store");
        }
        for (int attempt = 1; ; attempt++) {
            try {
                return new EmbeddedStore(files, Recovery.of(files), Optional.empty());
            } catch (CorruptStoreException | NoSuchFileException e) {
                // A checkpoint may have replaced the files while they were read.
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static void requireDistinct(ViewSchema[] schemas) {
        List<String> names = new ArrayList<>();
        for (ViewSchema schema : schemas) {
            if (names.contains(schema.name())) {
                throw new IllegalArgumentException("two views are called '" + schema.name() + "'");
            }
            names.add(schema.name());
        }
    }

    private static void create(StoreFiles files, Path folder) throws IOException {
        if (!files.isEmpty()) {
            throw new CorruptStoreException(
                    folder, "it has no " + StoreFiles.MANIFEST + ", but other files: it is no feature store");
        }
        WriteAheadLog.create(files.log(1), 1, 0).close();
        new Manifest(1, 0, List.of()).write(files);
    }

    /// Adds the views that are new, after all others were compared.
    private static Manifest withViews(Recovery recovered, StoreOptions options, ViewSchema[] schemas) {
        Manifest manifest = recovered.manifest();
        List<Manifest.Entry> entries = new ArrayList<>(manifest.views());
        for (ViewSchema schema : schemas) {
            Optional<ViewSchema> known = entries.stream()
                    .map(Manifest.Entry::schema)
                    .filter(view -> view.name().equals(schema.name()))
                    .findFirst();
            if (known.isEmpty()) {
                entries.add(new Manifest.Entry(schema, "", options.capacity()));
            } else {
                known.get().difference(schema).ifPresent(difference -> {
                    throw new SchemaMismatchException(difference);
                });
            }
        }
        if (entries.size() == manifest.views().size()) {
            return manifest;
        }
        for (int id = manifest.views().size(); id < entries.size(); id++) {
            ViewSchema schema = entries.get(id).schema();
            recovered.views().add(new EmbeddedView(schema, id, Recovery.empty(schema, options.capacity())));
        }
        return new Manifest(manifest.generation(), manifest.sequence(), entries);
    }

    @Override
    public List<View> views() {
        return List.copyOf(views);
    }

    @Override
    public long write(WriteBatch batch) throws IOException {
        return writer().write(batch);
    }

    /// Throws away the rows of a view whose event time is before `eventTime`, deletions included,
    /// and gives their room back. An older row that is written later is there again.
    ///
    /// @param eventTime in microseconds since 1970
    /// @throws IOException if it cannot be made durable; nothing was thrown away
    public void expire(View view, long eventTime) throws IOException {
        if (view.id() >= views.size() || views.get(view.id()) != view) {
            throw new IllegalArgumentException("view '" + view.schema().name() + "' is not of this store");
        }
        writer().expire(view.id(), eventTime);
    }

    /// Writes all tables as snapshots and begins a new log, so that nothing has to be replayed.
    /// Others write and read meanwhile. It is also done without being asked for when the log is
    /// long.
    ///
    /// @throws IOException if it fails; the store is as it was
    public void checkpoint() throws IOException {
        writer().checkpoint();
    }

    private StoreWriter writer() {
        return writer.orElseThrow(() -> new IllegalStateException("the store is open to be read only"));
    }

    /// What it is made of now; of one that is open to be read, what it was made of when it was
    /// opened.
    public StoreStatistics statistics() throws IOException {
        long bytes = files.bytes();
        return writer.map(now -> now.statistics(bytes)).orElse(new StoreStatistics(sequence, logBytes, bytes, 0));
    }

    /// Waits for writes and a checkpoint that go on, takes one more if that is worth it, and frees
    /// everything.
    @Override
    public void close() throws IOException {
        try {
            if (writer.isPresent()) {
                writer.get().close();
            }
        } finally {
            views.forEach(EmbeddedView::close);
        }
    }
}
