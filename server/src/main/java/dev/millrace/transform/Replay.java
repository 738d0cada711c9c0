// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.features.FeatureSource;
import dev.millrace.features.StoreSource;
import dev.millrace.spec.FeatureView;
import dev.millrace.store.Durability;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Serving as it was: a store in a folder of its own that gets events when they became available, and
/// a plan's row that reads it as a server's does.
///
/// Threads: one. Ownership: it owns the store, the row and the folder; whoever opened it closes it,
/// and then the folder is gone.
final class Replay implements AutoCloseable {
    private final Path folder;
    private final List<ReplayedLog> logs = new ArrayList<>();
    /// Null without a log.
    private EmbeddedStore store;
    private FeatureRow row;

    private Replay(Path folder) {
        this.folder = folder;
    }

    /// Reads the logs, and begins before their first events.
    ///
    /// @param files the views' logs
    static Replay open(FeaturePlan plan, Map<FeatureView, Path> files) throws IOException {
        Replay replay = new Replay(Files.createTempDirectory("millrace-parity"));
        try {
            for (Map.Entry<FeatureView, Path> each : files.entrySet()) {
                replay.logs.add(ReplayedLog.read(each.getValue(), each.getKey()));
            }
            replay.begin(plan);
            return replay;
        } catch (IOException | RuntimeException | Error e) {
            replay.close();
            throw e;
        }
    }

    private void begin(FeaturePlan plan) throws IOException {
        if (logs.isEmpty()) {
            row = plan.newRow(FeatureSource.NONE);
            return;
        }
        ViewSchema[] schemas = logs.stream().map(ReplayedLog::schema).toArray(ViewSchema[]::new);
        // Nobody needs it after this process.
        StoreOptions options = StoreOptions.DEFAULT.durability(Durability.PROCESS);
        store = EmbeddedStore.open(folder.resolve("store"), options, schemas);
        row = plan.newRow(new StoreSource(store));
    }

    /// Goes on to a time, which is not before the last one: all that was available then is stored.
    void until(long micros) throws IOException {
        for (ReplayedLog log : logs) {
            log.write(store, micros);
        }
    }

    /// What requests are served with.
    FeatureRow row() {
        return row;
    }

    @Override
    public void close() throws IOException {
        if (row != null) {
            row.close();
        }
        try {
            if (store != null) {
                store.close();
            }
        } finally {
            delete();
        }
    }

    private void delete() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
