// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Hot;

/// Runs a session over consecutive rows of the regions it was made for: the rows are the batch tensor, nothing is
/// copied.
///
/// Threads: one [#run(int, int)] at a time; [#terminate()] from any. Ownership: closed before its session and its
/// regions.
public interface RowRunner extends AutoCloseable {
    /// Runs `rows` rows from row `first` on and returns when their outputs are written.
    ///
    /// @throws OrtFailure if the model fails or the run was terminated
    @Hot
    void run(int first, int rows);

    /// Makes the run in progress, if there is one, end soon with a failure.
    void terminate();

    @Override
    void close();
}
