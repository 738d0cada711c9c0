// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.List;

/// The tensors of one request: inputs as its owner fills them, outputs as the lane gives them.
///
/// Ownership: the call's; for a lane that runs a request's own tensors, the lane's from claim to release.
final class TensorSet implements AutoCloseable {
    private final Tensor[] inputs;
    private final Tensor[] outputs;

    TensorSet(Signature signature) {
        inputs = tensors(signature.inputs());
        outputs = tensors(signature.outputs());
    }

    private static Tensor[] tensors(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> new Tensor(MemoryTag.CALL, spec.datatype()))
                .toArray(Tensor[]::new);
    }

    Tensor[] inputs() {
        return inputs;
    }

    Tensor[] outputs() {
        return outputs;
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
