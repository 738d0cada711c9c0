// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.io.IOException;

/// Writes rows in one format. Threads: one.
interface TableSink {
    /// Adds all rows of a batch.
    void append(TableBatch batch) throws IOException;

    /// Writes what is still to be written; nothing follows.
    void end() throws IOException;
}
