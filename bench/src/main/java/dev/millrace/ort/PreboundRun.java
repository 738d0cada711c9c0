// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The floor of every comparison: OrtValues made once over the first rows of fixed regions, and then nothing but `Run`.
///
/// It lives in this package because it calls the C API through the same handles as the runners do.
///
/// Threads: one at a time. Ownership: closed before its session and its regions.
public final class PreboundRun implements AutoCloseable {
    private final long session;
    private final NativeCallFrame frame;

    /// Binds the first `rows` rows of `inputs` and `outputs`.
    ///
    /// @throws IllegalStateException if the session's native handle cannot be had
    public PreboundRun(OnnxSession session, List<RowTensor> inputs, List<RowTensor> outputs, int rows) {
        this.session = session.handle();
        List<RowTensor> all = new ArrayList<>(inputs);
        all.addAll(outputs);
        int rank = 1
                + all.stream()
                        .mapToInt(tensor -> tensor.rowShape().size())
                        .max()
                        .orElse(0);
        this.frame = new NativeCallFrame(
                inputs.stream().map(RowTensor::name).toList(),
                outputs.stream().map(RowTensor::name).toList(),
                rank);
        for (int i = 0; i < all.size(); i++) {
            bind(i, all.get(i), rows);
        }
    }

    private void bind(int value, RowTensor tensor, int rows) {
        MemorySegment shape = frame.shape(value);
        shape.setAtIndex(JAVA_LONG, 0, rows);
        for (int axis = 0; axis < tensor.rowShape().size(); axis++) {
            shape.setAtIndex(JAVA_LONG, axis + 1L, tensor.rowShape().get(axis));
        }
        OrtApi.createTensorWithData(
                tensor.region().address(),
                rows * tensor.rowBytes(),
                frame.shapeAddress(value),
                tensor.rowShape().size() + 1L,
                tensor.datatype().onnxCode(),
                frame.valueAddress(value));
    }

    /// Runs the model over the bound rows.
    public void run() {
        frame.run(session);
    }

    @Override
    public void close() {
        frame.releaseValues();
        frame.close();
    }
}
