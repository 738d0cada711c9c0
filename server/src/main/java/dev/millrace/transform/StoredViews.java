// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeatureSource;
import dev.millrace.features.StoreSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.spec.FeatureView;
import dev.millrace.store.EmbeddedStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The stored values of a plan, from an embedded store as it is now.
///
/// Threads: one. Ownership: it owns the store and the readers that it gave out, and whoever made it
/// closes it.
final class StoredViews implements FeatureSource, AutoCloseable {
    private final Path folder;
    private final EmbeddedStore store;
    private final List<ViewReader> readers = new ArrayList<>();

    private StoredViews(Path folder, EmbeddedStore store) {
        this.folder = folder;
        this.store = store;
    }

    /// Opens a store to read it.
    ///
    /// @param folder null for none; then no view is there
    static StoredViews open(Path folder) throws IOException {
        return new StoredViews(folder, folder == null ? null : EmbeddedStore.openToRead(folder));
    }

    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        if (store == null) {
            throw new IllegalArgumentException(
                    "view '" + view.name() + "' is of kind store: --store has to say which folder its values are in");
        }
        try {
            ViewReader reader = new StoreSource(store).open(view, layout);
            readers.add(reader);
            return reader;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        readers.forEach(ViewReader::close);
        if (store != null) {
            store.close();
        }
    }
}
