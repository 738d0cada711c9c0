// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Tensor;

/// Runs a session over whole tensors of any shape.
///
/// Threads: one [#run(Tensor\[\], Tensor\[\])] at a time; [#terminate()] from any. Ownership: closed before its
/// session.
public interface TensorRunner extends AutoCloseable {
    /// Runs the model on `inputs`, in the order of the model's inputs, each with a shape. Sets the shape and elements
    /// of `outputs`, in the order of the model's outputs.
    ///
    /// @throws OrtFailure if the model fails, the run was terminated, or an output has no tensor form
    void run(Tensor[] inputs, Tensor[] outputs);

    /// Makes the run in progress, if there is one, end soon with a failure.
    void terminate();

    @Override
    void close();
}
