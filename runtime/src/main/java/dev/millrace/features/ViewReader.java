// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;

/// Finds the values that a view has about an entity.
///
/// Threads: one. Ownership: the row that it was opened for closes it. Memory: what [#memory()] shows belongs to the
/// reader's owner and stays as it is until the reader looks for another entity; a row is never seen half written.
public interface ViewReader extends AutoCloseable {
    /// Looks for an entity by a whole number; whether there is one. Does not allocate.
    @Hot
    boolean find(long key);

    /// Says that an entity is looked for next by a whole number. Nothing that is seen depends on it.
    @Hot
    default void expect(long key) {}

    /// Looks for an entity by a text in UTF-8; whether there is one. Does not allocate.
    @Hot
    boolean find(byte[] key, int offset, int length);

    /// Whether the store could not be asked about the entity that was looked for last. If there is a row all
    /// the same it is one that the store had before.
    @Hot
    default boolean isUnavailable() {
        return false;
    }

    /// The memory that the row which was found last lies in.
    @Hot
    MemorySegment memory();

    /// Where in [#memory()] the row begins, in bytes. It lies as the [ViewLayout] says.
    @Hot
    long offset();

    /// When the row's values were so, in microseconds since 1970.
    @Hot
    long eventTimeMicros();

    /// Frees what it holds, if anything.
    @Override
    default void close() {}
}
