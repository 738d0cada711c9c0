// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Rows through the C API: per run one OrtValue per tensor over the slice of its region, then one `Run`. No garbage.
final class NativeRowRunner implements RowRunner {
    private final long session;
    private final NativeCallFrame frame;
    private final Side inputs;
    private final Side outputs;

    NativeRowRunner(long session, SessionSettings.Arena arena, List<RowTensor> inputs, List<RowTensor> outputs) {
        this.session = session;
        int rank = Math.max(maxRank(inputs), maxRank(outputs)) + 1;
        this.frame = new NativeCallFrame(
                arena,
                inputs.stream().map(RowTensor::name).toList(),
                outputs.stream().map(RowTensor::name).toList(),
                rank);
        this.inputs = new Side(frame, inputs, 0);
        this.outputs = new Side(frame, outputs, inputs.size());
    }

    private static int maxRank(List<RowTensor> tensors) {
        return tensors.stream()
                .mapToInt(tensor -> tensor.rowShape().size())
                .max()
                .orElse(0);
    }

    @Override
    @Hot
    public void run(int first, int rows) {
        try {
            inputs.create(first, rows);
            outputs.create(first, rows);
            frame.run(session);
        } finally {
            frame.releaseValues();
        }
    }

    @Override
    public long running() {
        return frame.running();
    }

    @Override
    public boolean terminate(long number) {
        return frame.terminate(number);
    }

    @Override
    public void close() {
        frame.close();
    }

    /// The tensors of one side: where their rows lie, and the shapes handed to ONNX Runtime, whose first dimension is
    /// rewritten when the number of rows changes.
    private static final class Side {
        private final NativeCallFrame frame;
        private final int firstValue;
        private final long[] base;
        private final long[] rowBytes;
        private final int[] types;
        private final int[] ranks;

        Side(NativeCallFrame frame, List<RowTensor> tensors, int firstValue) {
            int count = tensors.size();
            this.frame = frame;
            this.firstValue = firstValue;
            base = new long[count];
            rowBytes = new long[count];
            types = new int[count];
            ranks = new int[count];
            for (int i = 0; i < count; i++) {
                RowTensor tensor = tensors.get(i);
                base[i] = tensor.region().address();
                rowBytes[i] = tensor.rowBytes();
                types[i] = tensor.datatype().onnxCode();
                ranks[i] = tensor.rowShape().size() + 1;
                MemorySegment shape = frame.shape(firstValue + i);
                for (int axis = 1; axis < ranks[i]; axis++) {
                    shape.setAtIndex(
                            ValueLayout.JAVA_LONG, axis, tensor.rowShape().get(axis - 1));
                }
            }
        }

        @Hot
        void create(int first, int rows) {
            for (int i = 0; i < base.length; i++) {
                frame.rows(firstValue + i, rows);
                long data = base[i] + first * rowBytes[i];
                OrtApi.createTensorWithData(
                        data,
                        rows * rowBytes[i],
                        frame.shapeAddress(firstValue + i),
                        ranks[i],
                        types[i],
                        frame.valueAddress(firstValue + i));
            }
        }
    }
}
