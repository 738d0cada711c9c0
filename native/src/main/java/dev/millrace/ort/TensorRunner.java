// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Tensor;

/// Runs a session over whole tensors of any shape.
///
/// Threads: one [#run(Tensor\[\], Tensor\[\])] at a time; [#running()] and [#terminate(long)] from any. Ownership:
/// closed before its session.
public interface TensorRunner extends AutoCloseable {
    /// Runs the model on `inputs`, in the order of the model's inputs, each with a shape. Sets the shape and elements
    /// of `outputs`, in the order of the model's outputs.
    ///
    /// @throws OrtFailure if the model fails, the run was terminated, or an output has no tensor form
    void run(Tensor[] inputs, Tensor[] outputs);

    /// The number of the run in progress, or -1 if there is none. Who sees it also sees what the thread that runs wrote
    /// before.
    long running();

    /// Makes run `number` end soon with a failure if it is in progress; whether it was.
    boolean terminate(long number);

    @Override
    void close();
}
