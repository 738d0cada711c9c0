// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.dataset.Dataset;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.SessionSettings.Optimization;
import dev.millrace.ort.TensorRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What is asked of models in tests.
final class Models {
    private Models() {}

    /// The operators of a model as ONNX Runtime runs it.
    static Map<String, Integer> optimized(Path model, Path folder) throws IOException {
        Path graph = Files.createTempFile(folder, "optimized", ".onnx");
        OnnxSession.openAndSave(model, SessionSettings.DEFAULT.withOptimization(Optimization.EXTENDED), graph)
                .close();
        return operators(graph);
    }

    static Map<String, Integer> operators(Path model) throws IOException {
        Map<String, Integer> operators = new TreeMap<>();
        try (OnnxFile file = OnnxFile.open(model)) {
            for (OnnxNode node : file.graph().nodes()) {
                operators.merge(node.operator().toString(), 1, Integer::sum);
            }
        }
        return operators;
    }

    /// What it answers to all rows, 32 at a time.
    static List<Float> answers(Path model, Dataset data) throws IOException {
        return answers(model, data, Optimization.ALL);
    }

    static List<Float> answers(Path model, Dataset data, Optimization optimization) throws IOException {
        List<Float> all = new ArrayList<>();
        try (OnnxSession session = OnnxSession.open(model, SessionSettings.DEFAULT.withOptimization(optimization));
                TensorRunner runner = session.tensorRunner()) {
            Tensor[] outputs = session.outputs().stream()
                    .map(output -> new Tensor(MemoryTag.CALL, output.datatype()))
                    .toArray(Tensor[]::new);
            data.forEach(32, batch -> {
                runner.run(batch.inputs(), outputs);
                for (Tensor output : outputs) {
                    for (long i = 0; i < output.elementCount(); i++) {
                        all.add((float) output.getReal(i));
                    }
                }
            });
            Arrays.stream(outputs).forEach(Tensor::close);
        }
        return all;
    }

    /// The constants of an open model by their names.
    static Map<String, OnnxTensor> constants(OnnxFile file) {
        Map<String, OnnxTensor> constants = new HashMap<>();
        file.graph().initializers().forEach(tensor -> constants.put(tensor.name(), tensor));
        return constants;
    }
}
