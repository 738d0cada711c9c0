// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

/// Told when a submitted call has ended.
///
/// It runs on whichever thread ended the call: an agent, a caller that turned the wheel, the sweeper, or the submitting
/// thread itself. Other requests wait meanwhile: it must be short, must not block and must not throw.
@FunctionalInterface
public interface Completion {
    /// The call has ended and belongs to its owner again; its outputs may be read if `outcome` is [Outcome#OK].
    void completed(Call call, Outcome outcome);
}
