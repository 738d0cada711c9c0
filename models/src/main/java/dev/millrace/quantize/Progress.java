// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

/// Told how far a calibration is, on the thread that runs it.
@FunctionalInterface
public interface Progress {
    /// Nobody wants to know.
    Progress NONE = (_, _, _) -> {};

    /// Another batch was run.
    ///
    /// @param rows how many rows were run in this pass
    /// @param pass which pass over the data this is, from 1 on
    /// @param passes how many there are
    void ran(long rows, int pass, int passes);
}
