// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.FeatureSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The stored values of a plan, from an embedded store as it is now: views by their names, fields by
/// theirs, of the same types.
///
/// Threads: one. Ownership: it owns the store and the readers that it gave out, and whoever made it
/// closes it.
final class StoredViews implements FeatureSource, AutoCloseable {
    private final Path folder;
    private final EmbeddedStore store;
    private final List<StoredReader> readers = new ArrayList<>();

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
            View stored = store.view(view.name());
            StoredReader reader = new StoredReader(stored, places(view, stored.schema()), layout);
            readers.add(reader);
            return reader;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": " + e.getMessage(), e);
        }
    }

    /// Where the store's view has the fields of the specification's.
    private static int[] places(FeatureView view, ViewSchema schema) {
        Field key = schema.key();
        if (!isSame(view.entity().type(), key.type())) {
            throw new IllegalArgumentException("the key of view '" + view.name() + "' is " + key.typeText()
                    + ", expected " + view.entity().type().word());
        }
        int[] places = new int[view.fields().size()];
        for (int i = 0; i < places.length; i++) {
            FieldSpec field = view.fields().get(i);
            places[i] = schema.index(field.name());
            Field stored = schema.fields().get(places[i]);
            if (!isSame(field.type(), stored.type())) {
                throw new IllegalArgumentException("field '" + field.name() + "' of view '" + view.name() + "' is "
                        + stored.typeText() + ", expected " + field.type().word());
            }
        }
        return places;
    }

    private static boolean isSame(ValueType type, FieldType stored) {
        return type.word().equals(stored.word());
    }

    @Override
    public void close() throws IOException {
        readers.forEach(StoredReader::close);
        if (store != null) {
            store.close();
        }
    }
}
