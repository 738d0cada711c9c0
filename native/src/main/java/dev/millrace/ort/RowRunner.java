// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Hot;

/// Runs a session over consecutive rows of the regions it was made for: the rows are the batch tensor, nothing is
/// copied.
///
/// Threads: one [#run(int, int)] at a time; [#running()] and [#terminate(long)] from any. Ownership: closed before its
/// session and its regions.
public interface RowRunner extends AutoCloseable {
    /// Runs `rows` rows from row `first` on and returns when their outputs are written.
    ///
    /// @throws OrtFailure if the model fails or the run was terminated
    @Hot
    void run(int first, int rows);

    /// The number of the run in progress, or -1 if there is none. Who sees it also sees what the thread that runs wrote
    /// before.
    long running();

    /// Makes run `number` end soon with a failure if it is in progress; whether it was.
    boolean terminate(long number);

    @Override
    void close();
}
