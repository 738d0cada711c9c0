// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/// Dumps that are checked in, what their libraries answered, and what is made of them, run by ONNX Runtime.
final class TreeRun {
    private static final Path FOLDER = Path.of("src/test/resources/trees");
    private static final int BATCH = 1000;

    private TreeRun() {}

    static byte[] bytes(String name) {
        try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(FOLDER.resolve(name + ".gz")))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(String name) {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    /// What the library answered: the sums of all rows, and then what the objective makes of them.
    static float[] answers(String name) {
        FloatBuffer floats = ByteBuffer.wrap(bytes(name + ".f32"))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        float[] answers = new float[floats.remaining()];
        floats.get(answers);
        return answers;
    }

    /// Imports a dump, by what its name ends with.
    static OnnxFile model(Path dump, ImportOptions options) throws IOException {
        return dump.toString().endsWith(".json")
                ? TreeImport.xgboost(dump, options)
                : TreeImport.lightGbm(dump, options);
    }

    /// What a model answers to rows, each of its outputs in one array.
    static List<double[]> run(Path model, float[] rows, int features) {
        int count = rows.length / features;
        List<double[]> answers = new ArrayList<>();
        try (OnnxSession session = OnnxSession.open(model, SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor x = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            List<Tensor> outputs = outputs(session);
            for (int from = 0; from < count; from += BATCH) {
                int batch = Math.min(BATCH, count - from);
                x.reshape(batch, features);
                x.putFloats(0, rows, from * features, batch * features);
                runner.run(new Tensor[] {x}, outputs.toArray(Tensor[]::new));
                for (int i = 0; i < outputs.size(); i++) {
                    Tensor output = outputs.get(i);
                    int width = Math.toIntExact(output.elementCount() / batch);
                    if (from == 0) {
                        answers.add(new double[count * width]);
                    }
                    for (int j = 0; j < batch * width; j++) {
                        answers.get(i)[from * width + j] =
                                output.datatype() == DataType.INT64 ? output.getLong(j) : output.getReal(j);
                    }
                }
            }
            outputs.forEach(Tensor::close);
        }
        return answers;
    }

    private static List<Tensor> outputs(OnnxSession session) {
        List<Tensor> outputs = new ArrayList<>();
        session.outputs()
                .forEach(value -> outputs.add(
                        new Tensor(MemoryTag.CALL, value.name().equals("label") ? DataType.INT64 : DataType.FP32)));
        return outputs;
    }
}
