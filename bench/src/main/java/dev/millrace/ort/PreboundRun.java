// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// The floor of every comparison: OrtValues made once over tensors that stay where they are, and then nothing but
/// `Run`.
///
/// It lives in this package because it calls the C API through the same handles as the runners do.
///
/// Threads: one at a time. Ownership: closed before its session and its tensors.
public final class PreboundRun implements AutoCloseable {
    private final long session;
    private final NativeCallFrame frame;

    /// Binds all of the session's inputs and outputs to tensors in the same order, each with a shape and of a numeric
    /// type. They are neither reshaped nor closed before this is.
    ///
    /// @throws OrtFailure if a tensor cannot be bound
    /// @throws IllegalStateException if the session's native handle cannot be had
    public PreboundRun(OnnxSession session, Tensor[] inputs, Tensor[] outputs) {
        this.session = session.handle();
        List<Tensor> all =
                Stream.concat(Arrays.stream(inputs), Arrays.stream(outputs)).toList();
        this.frame = new NativeCallFrame(
                SessionSettings.Arena.KEEPS,
                session.inputs().stream().map(ValueInfo::name).toList(),
                session.outputs().stream().map(ValueInfo::name).toList(),
                all.stream().mapToInt(Tensor::rank).max().orElse(0));
        try {
            for (int i = 0; i < all.size(); i++) {
                bind(i, all.get(i));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void bind(int value, Tensor tensor) {
        MemorySegment shape = frame.shape(value);
        for (int axis = 0; axis < tensor.rank(); axis++) {
            shape.setAtIndex(JAVA_LONG, axis, tensor.dim(axis));
        }
        OrtApi.createTensorWithData(
                tensor.address(),
                tensor.byteSize(),
                frame.shapeAddress(value),
                tensor.rank(),
                tensor.datatype().onnxCode(),
                frame.valueAddress(value));
    }

    /// Runs the model over the bound tensors.
    public void run() {
        frame.run(session);
    }

    @Override
    public void close() {
        frame.releaseValues();
        frame.close();
    }
}
