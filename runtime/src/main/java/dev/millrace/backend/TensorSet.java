// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryExceededException;
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

    /// Tensors without shapes and without a limit.
    public TensorSet(Signature signature) {
        this(signature, MemoryBudget.UNLIMITED, MemoryBudget.UNLIMITED);
    }

    /// Tensors without shapes.
    ///
    /// @param memory what tensors are booked in
    /// @param heap what tensors of strings are booked in
    public TensorSet(Signature signature, MemoryBudget memory, MemoryBudget heap) {
        this(tensors(signature.inputs(), memory, heap), tensors(signature.outputs(), memory, heap));
    }

    private TensorSet(Tensor[] inputs, Tensor[] outputs) {
        this.inputs = inputs;
        this.outputs = outputs;
    }

    private static Tensor[] tensors(List<TensorSpec> specs, MemoryBudget memory, MemoryBudget heap) {
        return specs.stream()
                .map(spec -> tensor(spec, MemoryBudgets.of(spec.datatype(), memory, heap)))
                .toArray(Tensor[]::new);
    }

    private static Tensor tensor(TensorSpec spec, MemoryBudget budget) {
        Tensor tensor = new Tensor(budget, MemoryTag.CALL, spec.datatype());
        return spec.optional() ? tensor.nullable() : tensor;
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

    /// Shapes tensors that leave no choice, and gives rows a first one; or fails, and holds nothing.
    ///
    /// @param rows whether the leading dimension is one of rows
    public TensorSet preset(Signature signature, boolean rows) {
        try {
            for (int i = 0; i < inputs.length; i++) {
                preset(signature.inputs().get(i), inputs[i], rows);
            }
            for (int i = 0; i < outputs.length && rows; i++) {
                preset(signature.outputs().get(i), outputs[i], true);
            }
            return this;
        } catch (MemoryExceededException e) {
            close();
            throw e;
        }
    }

    /// Shapes one tensor.
    public static void preset(TensorSpec spec, Tensor tensor, boolean rows) {
        long[] shape = spec.dims();
        if (rows) {
            shape[0] = 1;
        }
        if (rows || spec.elementCount() >= 0) {
            tensor.reshape(shape);
        }
    }

    /// The bytes that the tensors hold, whatever their shapes.
    public long heldBytes() {
        long bytes = 0;
        for (Tensor tensor : inputs) {
            bytes += tensor.heldBytes();
        }
        for (Tensor tensor : outputs) {
            bytes += tensor.heldBytes();
        }
        return bytes;
    }

    /// Whether they should be freed rather than kept for another request: memory is short.
    @Hot
    public boolean isTight() {
        for (Tensor tensor : inputs) {
            if (tensor.isTight()) {
                return true;
            }
        }
        return false;
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
