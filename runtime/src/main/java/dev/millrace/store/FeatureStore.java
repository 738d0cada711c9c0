// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.util.List;

/// Features of entities, in views. Rows are written in batches and read one by one.
///
/// Of two rows of an entity the one with the later event time stays, of equal ones that with the
/// later availability time, of equal ones again that which was written last. So batches may come in
/// any order, and twice. A deletion is a row, too: an older row that comes after it does not bring
/// the entity back.
///
/// Threads: any may write; each that reads has its own [ViewReader]. A reader sees a row as one
/// write left it, never a part of one; rows of a batch become visible one by one. Ownership:
/// whoever opened it closes it, after its readers.
public interface FeatureStore extends AutoCloseable {
    /// The views, in the order in which they were added.
    List<View> views();

    /// The view of a name.
    ///
    /// @throws IllegalArgumentException if there is none; the message names those there are
    default View view(String name) {
        return views().stream()
                .filter(view -> view.schema().name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no view '" + name + "', but "
                        + views().stream().map(view -> view.schema().name()).toList()));
    }

    /// Writes a batch and returns when it is acknowledged: it is as durable as the store promises,
    /// and readers that begin now see it. Either all of the batch outlasts a crash or, if it was
    /// not acknowledged, perhaps nothing of it.
    ///
    /// @return its number; later batches have the same or a higher one
    /// @throws IOException if it cannot be made durable; it was not acknowledged and is not seen
    /// @throws IllegalArgumentException if it is for another store
    /// @throws IllegalStateException if the store is closed, or only open to be read
    long write(WriteBatch batch) throws IOException;

    /// Frees what it holds; a second call does nothing. Readers throw from now on.
    @Override
    void close() throws IOException;
}
