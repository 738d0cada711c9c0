// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import dev.millrace.preprocess.PreprocessingGraph;
import dev.millrace.spec.FeatureSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The exported graph of a specification, run by ONNX Runtime on rows that are maps of values:
/// null, a Double, a Long or a String.
final class Graph implements AutoCloseable {
    private final OnnxSession session;
    private final TensorRunner runner;
    private final Tensor[] inputs;
    private final Tensor[] outputs;

    Graph(FeatureSpec spec) {
        byte[] bytes;
        try (OnnxFile file = PreprocessingGraph.of(spec)) {
            bytes = file.toBytes();
        }
        session = OnnxSession.open(bytes, SessionSettings.DEFAULT);
        runner = session.tensorRunner();
        inputs = tensors(session.inputs());
        outputs = tensors(session.outputs());
    }

    private static Tensor[] tensors(List<ValueInfo> values) {
        return values.stream()
                .map(value -> new Tensor(MemoryTag.CALL, value.datatype()))
                .toArray(Tensor[]::new);
    }

    /// The names of its inputs.
    List<String> names() {
        return session.inputs().stream().map(ValueInfo::name).toList();
    }

    /// Computes all rows as one batch.
    ///
    /// @param garbage what stands where a value is null
    void run(List<Map<String, Object>> rows, Map<DataType, Object> garbage) {
        List<String> names = names();
        for (int i = 0; i < inputs.length; i++) {
            inputs[i].reshape(rows.size(), 1);
            for (int row = 0; row < rows.size(); row++) {
                put(inputs[i], row, names.get(i), rows.get(row), garbage);
            }
        }
        runner.run(inputs, outputs);
    }

    private static void put(
            Tensor input, int row, String name, Map<String, Object> values, Map<DataType, Object> garbage) {
        boolean isFlag = name.endsWith(PreprocessingGraph.PRESENT);
        if (isFlag) {
            String field = name.substring(0, name.length() - PreprocessingGraph.PRESENT.length());
            input.setLong(row, values.get(field) == null ? 0 : 1);
            return;
        }
        Object value = values.get(name);
        switch (value == null ? garbage.get(input.datatype()) : value) {
            case Double number -> input.setReal(row, number);
            case Long number -> input.setLong(row, number);
            case String text -> input.setString(row, text);
            default -> throw new IllegalStateException();
        }
    }

    /// The floats of a row.
    List<Float> columns(int row) {
        int width = (int) outputs[0].dim(1);
        List<Float> columns = new ArrayList<>();
        for (int i = 0; i < width; i++) {
            columns.add(outputs[0].getFloat((long) row * width + i));
        }
        return columns;
    }

    /// Whether a row is rejected.
    boolean isRejected(int row) {
        return outputs.length > 1 && outputs[1].getLong(row) != 0;
    }

    @Override
    public void close() {
        runner.close();
        for (Tensor tensor : inputs) {
            tensor.close();
        }
        for (Tensor tensor : outputs) {
            tensor.close();
        }
        session.close();
    }
}
