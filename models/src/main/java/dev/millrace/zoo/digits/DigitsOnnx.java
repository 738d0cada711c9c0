// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Writes a [ConvNet] as an ONNX file, which takes pixels as they are. Threads: one.
///
/// The network has seen pixels from 0 to 1: the first weights are divided by what a pixel is at most, a power of two,
/// so that no bit of them is lost.
final class DigitsOnnx {
    private static final long IR_VERSION = 8;
    private static final long OPSET = 17;
    private static final int MODEL_VERSION = 5;
    private static final int DOC = 6;

    private final ConvNet net;
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<OnnxTensor> tensors = new ArrayList<>();

    DigitsOnnx(ConvNet net) {
        this.net = net;
    }

    void write(Path file, String trainedOn) throws IOException {
        layers();
        OnnxGraph graph = OnnxGraph.named("digits");
        graph.setNodes(nodes);
        graph.setInitializers(tensors);
        graph.setInputs(List.of(value("x", 1, Digits.SIDE, Digits.SIDE)));
        graph.setOutputs(List.of(value("probabilities", Digits.CLASSES)));
        try (OnnxFile model = OnnxFile.of(graph, IR_VERSION, Map.of(OperatorName.ONNX, OPSET), "millrace")) {
            model.message()
                    .setNumber(MODEL_VERSION, 1)
                    .setText(DOC, "Handwritten digits, the Millrace project's example of a convolutional model.");
            model.setMetadata("trained_on", trainedOn);
            model.setMetadata(
                    "license", "Apache-2.0; the data it was trained on: CC BY 4.0, E. Alpaydin and C. Kaynak");
            model.check();
            model.write(file);
        }
    }

    private static OnnxValue value(String name, long... dims) {
        List<Dimension> shape = new ArrayList<>(List.of(Dimension.open("batch")));
        for (long dim : dims) {
            shape.add(Dimension.of(dim));
        }
        return OnnxValue.of(name, ElementType.FLOAT, shape);
    }

    private void layers() {
        List<ConvNet.Weights> weights = net.weights();
        String first = convolution(1, weights.get(0), "x", 1, Digits.INK);
        String second = convolution(2, weights.get(1), first, ConvNet.FIRST, 1);
        add("Flatten", "flatten", "flat", List.of(second));
        dense(3, weights.get(2), "flat", "dense_3");
        add("Relu", "relu_3", "hidden", List.of("dense_3"));
        dense(4, weights.get(3), "hidden", "logits");
        add("Softmax", "softmax", "probabilities", List.of("logits"), OnnxAttribute.of("axis", 1));
    }

    private String convolution(int number, ConvNet.Weights layer, String in, int channels, int divisor) {
        long[] dims = {layer.units(), channels, 3, 3};
        tensors.add(
                OnnxTensor.ofFloats("weights_" + number, dims, floats(layer.weightsAt(), layer.biasesAt(), divisor)));
        biases(number, layer);
        add(
                "Conv",
                "conv_" + number,
                "seen_" + number,
                List.of(in, "weights_" + number, "biases_" + number),
                OnnxAttribute.of("kernel_shape", new long[] {3, 3}),
                OnnxAttribute.of("pads", new long[] {1, 1, 1, 1}));
        add("Relu", "relu_" + number, "found_" + number, List.of("seen_" + number));
        add(
                "MaxPool",
                "pool_" + number,
                "pooled_" + number,
                List.of("found_" + number),
                OnnxAttribute.of("kernel_shape", new long[] {2, 2}),
                OnnxAttribute.of("strides", new long[] {2, 2}));
        return "pooled_" + number;
    }

    private void dense(int number, ConvNet.Weights layer, String in, String out) {
        long[] dims = {layer.fanIn(), layer.units()};
        tensors.add(OnnxTensor.ofFloats("weights_" + number, dims, floats(layer.weightsAt(), layer.biasesAt(), 1)));
        biases(number, layer);
        add("Gemm", "gemm_" + number, out, List.of(in, "weights_" + number, "biases_" + number));
    }

    private void biases(int number, ConvNet.Weights layer) {
        tensors.add(OnnxTensor.ofFloats(
                "biases_" + number,
                new long[] {layer.units()},
                floats(layer.biasesAt(), layer.biasesAt() + layer.units(), 1)));
    }

    private void add(String operator, String name, String out, List<String> in, OnnxAttribute... attributes) {
        nodes.add(OnnxNode.of(new OperatorName("", operator), name, in, List.of(out), attributes));
    }

    private float[] floats(int from, int to, int divisor) {
        float[] values = new float[to - from];
        for (int i = from; i < to; i++) {
            values[i - from] = (float) net.parameters()[i] / divisor;
        }
        return values;
    }
}
