// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// The models that are benched, made from a fixed seed: nothing is downloaded and every machine runs the same weights.
///
/// Each takes `features` of shape `[batch, inputWidth]` and gives `score` of shape `[batch, outputWidth]`, both FP32.
/// A further model is one more constant and its name in [#ALL]. Threads: stateless.
final class BenchModels {
    static final String INPUT = "features";
    static final String OUTPUT = "score";

    /// A small scorer, for which every microsecond around it shows.
    static final BenchModel MLP = mlp(64, 128, 64, 1);

    /// As good as no model: what it takes is what the way to the model takes.
    static final BenchModel IDENTITY = new BenchModel("identity-4", 4, 4, identity());

    static final List<BenchModel> ALL = List.of(MLP, IDENTITY);

    private static final long SEED = 0x6d696c6c72616365L;
    private static final int IR_VERSION = 8;
    private static final int OPSET = 17;

    private BenchModels() {}

    /// A model.
    ///
    /// @param name its name in a repository
    /// @param inputWidth values in a row of the input
    /// @param outputWidth values in a row of the output
    /// @param onnx the bytes of its file
    record BenchModel(String name, int inputWidth, int outputWidth, byte[] onnx) {
        /// Writes it into a repository in Triton's layout and returns the file.
        Path writeInto(Path repository) throws IOException {
            Path file = repository.resolve(name).resolve("1").resolve("model.onnx");
            Files.createDirectories(file.getParent());
            return Files.write(file, onnx);
        }
    }

    static BenchModel named(String name) {
        return ALL.stream()
                .filter(model -> model.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no model '" + name + "', there are "
                        + ALL.stream().map(BenchModel::name).toList()));
    }

    /// A multi-layer perceptron: a Gemm between each two widths and a Relu between each two Gemms.
    static BenchModel mlp(int... widths) {
        SplittableRandom random = new SplittableRandom(SEED);
        GraphProto.Builder graph = graph("mlp", widths[0], widths[widths.length - 1]);
        String from = INPUT;
        for (int layer = 1; layer < widths.length; layer++) {
            int in = widths[layer - 1];
            int out = widths[layer];
            boolean last = layer == widths.length - 1;
            String sum = last ? OUTPUT : "sum" + layer;
            // He initialisation keeps the values of every layer near one.
            graph.addInitializer(tensor("weight" + layer, random, Math.sqrt(2.0 / in), in, out));
            graph.addInitializer(tensor("bias" + layer, random, 0.1, out));
            graph.addNode(node("Gemm", sum, from, "weight" + layer, "bias" + layer));
            if (!last) {
                from = "relu" + layer;
                graph.addNode(node("Relu", from, sum));
            }
        }
        String name =
                "mlp" + Arrays.stream(widths).mapToObj(width -> "-" + width).reduce("", String::concat);
        return new BenchModel(name, widths[0], widths[widths.length - 1], model(graph));
    }

    private static byte[] identity() {
        return model(graph("identity", 4, 4).addNode(node("Identity", OUTPUT, INPUT)));
    }

    private static byte[] model(GraphProto.Builder graph) {
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("millrace-bench")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET))
                .setGraph(graph)
                .build()
                .toByteArray();
    }

    private static GraphProto.Builder graph(String name, int inputWidth, int outputWidth) {
        return GraphProto.newBuilder()
                .setName(name)
                .addInput(value(INPUT, inputWidth))
                .addOutput(value(OUTPUT, outputWidth));
    }

    private static ValueInfoProto value(String name, int width) {
        TensorShapeProto shape = TensorShapeProto.newBuilder()
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(width))
                .build();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(TensorProto.DataType.FLOAT_VALUE)
                                .setShape(shape)))
                .build();
    }

    private static NodeProto node(String operator, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setName(operator + "_" + output)
                .setOpType(operator)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }

    private static TensorProto tensor(String name, SplittableRandom random, double deviation, int... shape) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT_VALUE);
        int count = 1;
        for (int dim : shape) {
            tensor.addDims(dim);
            count *= dim;
        }
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(count, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            bytes.putFloat((float) (deviation * random.nextGaussian()));
        }
        return tensor.setRawData(ByteString.copyFrom(bytes.flip())).build();
    }
}
