// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// Writes a [Scorer] as an ONNX file: Sub, Mul, then Gemm and Relu per hidden layer, Gemm, Sigmoid. Stateless.
final class FraudOnnx {
    private static final int IR_VERSION = 8;
    private static final int OPSET = 17;

    private FraudOnnx() {}

    static byte[] write(Scorer scorer, List<String> featureNames, String trainedOn) {
        int n = featureNames.size();
        GraphProto.Builder graph = GraphProto.newBuilder()
                .setName("fraud")
                .setDocString("Standardisation and a multi-layer perceptron. Trained on simulated payments.")
                .addInput(value(
                        "features",
                        n,
                        "Raw, not standardised values in this order: " + String.join(", ", featureNames)))
                .addOutput(value("score", 1, "Probability of fraud, 0 to 1"))
                .addInitializer(tensor("mean", scorer.mean(), n))
                .addInitializer(tensor("inverse_sd", scorer.scale(), n))
                .addNode(node("Sub", "centre", "centred", "features", "mean"))
                .addNode(node("Mul", "standardise", "standardised", "centred", "inverse_sd"));
        addLayers(graph, scorer.net());
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("millrace")
                .setModelVersion(1)
                .setDocString("Card fraud example model of the Millrace project. Trained on simulated data: "
                        + "not for judging real payments.")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET))
                .setGraph(graph)
                .addMetadataProps(entry("features", String.join(",", featureNames)))
                .addMetadataProps(entry("trained_on", trainedOn))
                .addMetadataProps(entry("license", "Apache-2.0"))
                .build()
                .toByteArray();
    }

    private static void addLayers(GraphProto.Builder graph, Mlp net) {
        String in = "standardised";
        for (int layer = 0; layer < net.layers(); layer++) {
            boolean last = layer == net.layers() - 1;
            String weights = "weights_" + (layer + 1);
            String biases = "biases_" + (layer + 1);
            graph.addInitializer(tensor(
                    weights,
                    floats(net, net.weightsAt(layer), net.biasesAt(layer)),
                    net.inputs(layer),
                    net.outputs(layer)));
            graph.addInitializer(tensor(
                    biases,
                    floats(net, net.biasesAt(layer), net.biasesAt(layer) + net.outputs(layer)),
                    net.outputs(layer)));
            String sum = last ? "logit" : "sum_" + (layer + 1);
            graph.addNode(node("Gemm", "gemm_" + (layer + 1), sum, in, weights, biases)
                    .addAttribute(AttributeProto.newBuilder()
                            .setName("transB")
                            .setType(AttributeProto.AttributeType.INT)
                            .setI(0)));
            in = last ? "score" : "hidden_" + (layer + 1);
            graph.addNode(last ? node("Sigmoid", "sigmoid", in, sum) : node("Relu", "relu_" + (layer + 1), in, sum));
        }
    }

    private static float[] floats(Mlp net, int from, int to) {
        float[] values = new float[to - from];
        for (int i = from; i < to; i++) {
            values[i - from] = (float) net.parameters()[i];
        }
        return values;
    }

    private static NodeProto.Builder node(String op, String name, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(op)
                .setName(name)
                .addOutput(output)
                .addAllInput(List.of(inputs));
    }

    private static TensorProto tensor(String name, float[] values, int... dims) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .setRawData(ByteString.copyFrom(bytes));
        for (int dim : dims) {
            tensor.addDims(dim);
        }
        return tensor.build();
    }

    private static ValueInfoProto value(String name, int columns, String doc) {
        TensorShapeProto shape = TensorShapeProto.newBuilder()
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(columns))
                .build();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setDocString(doc)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(TensorProto.DataType.FLOAT_VALUE)
                                .setShape(shape)))
                .build();
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }
}
