// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Rows through ONNX Runtime's Java API, the outputs pinned to our own memory.
final class JavaRowRunner implements RowRunner {
    private final OrtSession session;
    private final List<RowTensor> inputs;
    private final List<RowTensor> outputs;
    private final OrtSession.RunOptions options;
    private final Termination termination = new Termination();

    JavaRowRunner(OrtSession session, SessionSettings.Arena arena, List<RowTensor> inputs, List<RowTensor> outputs) {
        this.session = session;
        this.inputs = inputs;
        this.outputs = outputs;
        this.options = JavaTensors.runOptions(arena);
    }

    @Override
    public void run(int first, int rows) {
        List<OnnxTensor> open = new ArrayList<>();
        try {
            Map<String, OnnxTensor> in = tensors(inputs, first, rows, open);
            Map<String, OnnxTensor> out = tensors(outputs, first, rows, open);
            run(in, out);
        } catch (OrtException e) {
            throw OnnxSession.failure(e);
        } finally {
            open.forEach(OnnxTensor::close);
        }
    }

    private void run(Map<String, OnnxTensor> in, Map<String, OnnxTensor> out) throws OrtException {
        termination.begin();
        try {
            session.run(in, Set.of(), out, options).close();
        } finally {
            if (termination.end()) {
                JavaTensors.setTerminate(options, false);
            }
        }
    }

    private static Map<String, OnnxTensor> tensors(List<RowTensor> tensors, int first, int rows, List<OnnxTensor> open)
            throws OrtException {
        Map<String, OnnxTensor> map = new HashMap<>();
        for (RowTensor tensor : tensors) {
            MemorySegment slice =
                    tensor.region().segment().asSlice(first * tensor.rowBytes(), rows * tensor.rowBytes());
            long[] shape = new long[tensor.rowShape().size() + 1];
            shape[0] = rows;
            for (int axis = 1; axis < shape.length; axis++) {
                shape[axis] = tensor.rowShape().get(axis - 1);
            }
            OnnxTensor onnx = JavaTensors.over(tensor.name(), tensor.datatype(), slice, shape);
            open.add(onnx);
            map.put(tensor.name(), onnx);
        }
        return map;
    }

    @Override
    public long running() {
        return termination.running();
    }

    @Override
    public boolean terminate(long number) {
        return termination.terminate(number, () -> JavaTensors.setTerminate(options, true));
    }

    @Override
    public void close() {
        options.close();
    }
}
