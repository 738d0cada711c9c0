// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.Tensor;
import java.io.IOException;

/// Rows of a model's inputs, and perhaps what is right for each.
///
/// Threads: one at a time. It may be read as often as is needed, each time from the beginning and in the same order.
public interface Dataset {
    /// What follows one another in it.
    ///
    /// @param inputs the model's inputs, in the order of its signature; valid until the sink returns
    /// @param rows how many rows they have; a request that has none counts as one
    /// @param labels what is right, one for each row; empty where that is not known
    record Batch(Tensor[] inputs, long rows, double[] labels) {}

    /// Takes batches.
    @FunctionalInterface
    interface Sink {
        /// Takes one.
        void accept(Batch batch) throws IOException;
    }

    /// Reads all of it.
    ///
    /// @param rows how many rows a batch has, the last one perhaps fewer; of models whose rows depend on
    ///     each other a batch is what one request has
    /// @throws IOException if it cannot be read, says what the model does not take, or the sink throws it
    void forEach(int rows, Sink sink) throws IOException;
}
