// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// A request and the answer that a model is to give. What it reads is wrong if an [IllegalArgumentException] says so,
/// with the file and the field. Threads: stateless.
interface Golden {
    /// What is expected of a model's outputs.
    ///
    /// @param tensors in the order of the outputs; null where anything goes
    /// @param files where each was read
    /// @param atol how far a floating-point number may be off
    /// @param rtol how far besides, as a part of it
    record Expected(Tensor[] tensors, String[] files, double atol, double rtol) implements AutoCloseable {
        @Override
        public void close() {
            Arrays.stream(tensors).filter(Objects::nonNull).forEach(Tensor::close);
        }
    }

    /// What it is called in errors.
    String name();

    /// Reads the request.
    ///
    /// @param raw whether inputs may be left out, and elements be null
    /// @return a tensor for each input, the caller's; null for what was left out
    Tensor[] request(List<ValueInfo> inputs, boolean raw, MemoryBudget budget) throws IOException;

    /// Reads the answer; it is the caller's.
    Expected expected(List<ValueInfo> outputs, MemoryBudget budget) throws IOException;
}
