// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ensemble;

/// The model of a step, as it is served now. Threads: any.
@FunctionalInterface
public interface StepModel {
    /// A call to the version that is live.
    ///
    /// @param before the last one, or null; it is returned if its version is still live, and otherwise closed
    /// @throws RuntimeException if none is served
    StepCall call(StepCall before);
}
