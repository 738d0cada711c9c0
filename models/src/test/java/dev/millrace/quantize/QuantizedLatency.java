// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// How long a network of 256-1024-1024-512-1 takes with floats and with bytes, on one thread.
///
/// `main FOLDER [MODEL.onnx...]` makes `big.onnx`, `big.f32`, which are its rows, `big.static.onnx` and
/// `big.dynamic.onnx` in the folder, and takes other models that take the same. Models are run by turns;
/// what is printed are medians.
final class QuantizedLatency {
    private static final int[] WIDTHS = {256, 1024, 1024, 512, 1};
    private static final int[] BATCHES = {1, 8, 32, 64};
    private static final int ROWS = 256;
    private static final int ROUNDS = 41;
    private static final long ROUND_NANOS = 15_000_000;

    private QuantizedLatency() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        Path floats = folder.resolve("big.onnx");
        write(floats);
        Rows rows = Rows.random(2, ROWS, WIDTHS[0]);
        writeRows(folder.resolve("big.f32"), rows);
        Map<String, Path> models = new LinkedHashMap<>();
        models.put("floats", floats);
        for (QuantizeOptions.Mode mode : QuantizeOptions.Mode.values()) {
            String name = mode.name().toLowerCase(java.util.Locale.ROOT);
            models.put(name, folder.resolve("big." + name + ".onnx"));
            Quantizer.quantize(floats, models.get(name), QuantizeOptions.DEFAULT.withMode(mode), rows, Progress.NONE);
        }
        for (int i = 1; i < arguments.length; i++) {
            models.put(arguments[i], Path.of(arguments[i]));
        }
        for (int batch : BATCHES) {
            measure(models, batch, System.out);
        }
    }

    private static void write(Path file) throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        List<OnnxNode> nodes = new ArrayList<>();
        List<OnnxTensor> constants = new ArrayList<>();
        String value = "x";
        for (int i = 0; i + 1 < WIDTHS.length; i++) {
            constants.add(constant(random, "w" + i, 1 / Math.sqrt(WIDTHS[i]), WIDTHS[i], WIDTHS[i + 1]));
            constants.add(constant(random, "b" + i, 0.1, WIDTHS[i + 1]));
            String sum = i + 2 == WIDTHS.length ? "y" : "s" + i;
            nodes.add(node("Gemm", List.of(value, "w" + i, "b" + i), sum));
            value = "h" + i;
            if (!sum.equals("y")) {
                nodes.add(node("Relu", List.of(sum), value));
            }
        }
        OnnxGraph graph = OnnxGraph.named("big");
        graph.setNodes(nodes);
        graph.setInitializers(constants);
        graph.setInputs(List.of(
                OnnxValue.of("x", ElementType.FLOAT, List.of(Dimension.open("batch"), Dimension.of(WIDTHS[0])))));
        graph.setOutputs(
                List.of(OnnxValue.of("y", ElementType.FLOAT, List.of(Dimension.open("batch"), Dimension.of(1)))));
        try (OnnxFile model = OnnxFile.of(graph, 8, Map.of("ai.onnx", 17L), "QuantizedLatency")) {
            model.write(file);
        }
    }

    private static OnnxNode node(String operator, List<String> inputs, String output) {
        return OnnxNode.of(new OperatorName("", operator), output + "_node", inputs, List.of(output));
    }

    private static OnnxTensor constant(SplittableRandom random, String name, double deviation, long... dims) {
        float[] values = new float[Math.toIntExact(dims.length == 1 ? dims[0] : dims[0] * dims[1])];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian(0, deviation);
        }
        return OnnxTensor.ofFloats(name, dims, values);
    }

    private static void writeRows(Path file, Rows rows) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(ROWS * WIDTHS[0] * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        rows.forEach(ROWS, batch -> {
            for (long i = 0; i < batch.inputs()[0].elementCount(); i++) {
                bytes.putFloat(batch.inputs()[0].getFloat(i));
            }
        });
        Files.write(file, bytes.array());
    }

    private static void measure(Map<String, Path> models, int batch, PrintStream to) {
        List<Runner> runners =
                models.values().stream().map(model -> new Runner(model, batch)).toList();
        double[][] micros = new double[runners.size()][ROUNDS];
        for (int round = -2; round < ROUNDS; round++) {
            for (int i = 0; i < runners.size(); i++) {
                double took = runners.get(i).micros();
                if (round >= 0) {
                    micros[i][round] = took;
                }
            }
        }
        int i = 0;
        for (String name : models.keySet()) {
            Arrays.sort(micros[i]);
            to.printf(
                    "batch %2d  %-40s %8.1f us (from %.1f to %.1f)  %.2f x%n",
                    batch,
                    name,
                    micros[i][ROUNDS / 2],
                    micros[i][0],
                    micros[i][ROUNDS - 1],
                    micros[0][ROUNDS / 2] / micros[i][ROUNDS / 2]);
            i++;
        }
        runners.forEach(Runner::close);
    }

    /// A model and what it takes.
    private static final class Runner implements AutoCloseable {
        private final OnnxSession session;
        private final TensorRunner runner;
        private final Tensor[] inputs = {new Tensor(MemoryTag.CALL, DataType.FP32)};
        private final Tensor[] outputs = {new Tensor(MemoryTag.CALL, DataType.FP32)};

        Runner(Path model, int batch) {
            session = OnnxSession.open(model, SessionSettings.DEFAULT);
            runner = session.tensorRunner();
            SplittableRandom random = new SplittableRandom(3);
            inputs[0].reshape(batch, WIDTHS[0]);
            for (long i = 0; i < inputs[0].elementCount(); i++) {
                inputs[0].setReal(i, random.nextDouble(-2, 2));
            }
        }

        /// The mean of a run, of as many as a round has time for.
        double micros() {
            long runs = 0;
            long start = System.nanoTime();
            long took = 0;
            while (took < ROUND_NANOS) {
                runner.run(inputs, outputs);
                runs++;
                took = System.nanoTime() - start;
            }
            return took / 1e3 / runs;
        }

        @Override
        public void close() {
            runner.close();
            session.close();
            inputs[0].close();
            outputs[0].close();
        }
    }
}
