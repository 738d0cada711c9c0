// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ensemble;

import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;

/// A request to a step's model that is used again and again.
///
/// Threads: one owner at a time, but for [#cancel()]. Ownership: whoever made it closes it.
public interface StepCall extends AutoCloseable {
    /// Told when a request has ended.
    @FunctionalInterface
    interface Ended {
        /// On any thread, and once per request that was submitted without an exception.
        ///
        /// @param failure why there is no answer, or null
        void ended(RuntimeException failure);

        /// Instead of that, on any thread: another version is served by now, which the step's model has a call to,
        /// and is to be asked instead. Who cannot do that counts the request as failed.
        default void again() {
            ended(new IllegalStateException("the version was replaced while its request was prepared"));
        }
    }

    /// What the model takes and gives.
    Signature signature();

    /// The inputs. Where they are only read, and that before [#submit] returns, they may be exchanged for others for
    /// the time of one request.
    Tensor[] inputs();

    /// The outputs, after an answer.
    Tensor[] outputs();

    /// Whether a request takes its tensors with it until it is answered, and for good if it is not. Otherwise it reads
    /// the inputs while it is submitted, and once more before it is told as answered.
    boolean takesTensors();

    /// Submits a request.
    ///
    /// @param deadlineNanos by the clock of the ensemble's lane
    /// @param priority as the request to the ensemble has it
    /// @return false if another version is served by now, which the step's model has a call to; nobody is told then
    /// @throws RuntimeException if it is refused; nobody is told then
    boolean submit(long deadlineNanos, int priority, Ended whenEnded);

    /// Ends the request, if one is on its way, as cancelled. From any thread.
    void cancel();

    @Override
    void close();
}
