// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.Closeable;
import java.io.IOException;

/// Reads the rows of a table once, in order.
///
/// Threads: one. Ownership: whoever made it closes it.
public interface TableReader extends Closeable {
    /// Fills a batch with the rows that come next, as many as it can have unless these are the last
    /// ones. A row with a value that its column cannot hold is there, too, and has a
    /// [TableBatch#problem(int)].
    ///
    /// @param batch one with the columns that are read
    /// @return whether there was any row
    /// @throws dev.millrace.dataset.InvalidDataException if the file is damaged so that rows cannot
    ///     be told from each other
    /// @throws IOException if it cannot be read
    boolean next(TableBatch batch) throws IOException;

    /// Which part of the file was read, from 0 to 1.
    double progress();
}
