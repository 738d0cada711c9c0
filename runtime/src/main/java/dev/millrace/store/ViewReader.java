// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;

/// Reads rows of a view. What was found is copied to the reader's own [Row], which stays as it is
/// until the next find.
///
/// Threads: one. Nothing is allocated, and nobody waits for a writer for longer than that takes to
/// copy a row. Ownership: whoever made it closes it.
public interface ViewReader extends AutoCloseable {
    /// Looks for the entity of an integer key.
    ///
    /// @return whether there is one; its row is in [#row()] then, and otherwise not to be used
    /// @throws IllegalArgumentException if the view's key is a string
    /// @throws IllegalStateException if the store is closed
    @Hot
    boolean find(long key);

    /// Says that the entity of an integer key is looked for next, so that its row comes near while
    /// others are: whoever reads several views tells all of them first, and waits for memory once.
    /// Nothing that is seen depends on it.
    @Hot
    default void expect(long key) {}

    /// Looks for the entity of a string key, given as UTF-8. One that is longer than the view's
    /// keys is not found.
    ///
    /// @param text where it is
    /// @param offset of its first byte
    /// @param length in bytes
    /// @return as for [#find(long)]
    /// @throws IllegalArgumentException if the view's key is an integer
    @Hot
    boolean find(MemorySegment text, long offset, int length);

    /// Looks for the entity of a string key; allocates its bytes.
    boolean find(String key);

    /// The row that was found last, always the same object.
    @Hot
    Row row();

    /// Frees its memory; a second call does nothing.
    @Override
    void close();
}
