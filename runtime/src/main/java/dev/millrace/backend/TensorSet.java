// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.Arrays;
import java.util.List;

/// The tensors of one request: inputs as its owner fills them, outputs as the lane gives them.
///
/// Ownership: the call's; for a lane that runs a request's own tensors, the lane's from claim to release.
public final class TensorSet implements AutoCloseable {
    private final Tensor[] inputs;
    private final Tensor[] outputs;

    /// Tensors without shapes.
    public TensorSet(Signature signature) {
        this(tensors(signature.inputs()), tensors(signature.outputs()));
    }

    private TensorSet(Tensor[] inputs, Tensor[] outputs) {
        this.inputs = inputs;
        this.outputs = outputs;
    }

    private static Tensor[] tensors(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> new Tensor(MemoryTag.CALL, spec.datatype()))
                .toArray(Tensor[]::new);
    }

    /// The inputs, in the order of the signature.
    @Hot
    public Tensor[] inputs() {
        return inputs;
    }

    /// The outputs, in the order of the signature.
    @Hot
    public Tensor[] outputs() {
        return outputs;
    }

    /// The same memory in new tensors, without shapes; the old ones hold nothing any more.
    TensorSet moved() {
        return new TensorSet(moved(inputs), moved(outputs));
    }

    private static Tensor[] moved(Tensor[] tensors) {
        return Arrays.stream(tensors).map(Tensor::moved).toArray(Tensor[]::new);
    }

    @Override
    public void close() {
        for (Tensor tensor : inputs) {
            tensor.close();
        }
        for (Tensor tensor : outputs) {
            tensor.close();
        }
    }
}
