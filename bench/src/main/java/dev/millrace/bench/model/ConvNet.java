// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import dev.millrace.memory.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A small network over images: convolutions of 3 by 3 that halve the image, each with a Relu, then the mean of each
/// channel and a Gemm to the classes.
///
/// @param size width and height of the image
/// @param channels the image's first, then each convolution's
/// @param classes values in an answer
/// @param kernels per convolution, by output channel, input channel, row and column
/// @param biases per convolution
/// @param last by channel and class
record ConvNet(int size, int[] channels, int classes, List<float[]> kernels, List<float[]> biases, float[] last) {
    static final int KERNEL = 3;

    static ConvNet random(long seed, int size, int classes, int... channels) {
        SplittableRandom random = new SplittableRandom(seed);
        List<float[]> kernels = new ArrayList<>();
        List<float[]> biases = new ArrayList<>();
        for (int layer = 1; layer < channels.length; layer++) {
            int fan = channels[layer - 1] * KERNEL * KERNEL;
            kernels.add(Draw.gaussians(random, channels[layer] * fan, Math.sqrt(2.0 / fan)));
            biases.add(Draw.gaussians(random, channels[layer], 0.1));
        }
        int features = channels[channels.length - 1];
        return new ConvNet(size, channels, classes, kernels, biases, Draw.gaussians(random, features * classes, 1));
    }

    byte[] onnx() {
        OnnxGraph graph = new OnnxGraph("cnn")
                .input("image", DataType.FP32, -1, channels[0], size, size)
                .output("logits", DataType.FP32, -1, classes);
        String from = "image";
        for (int layer = 1; layer < channels.length; layer++) {
            graph.weights(
                    "kernel" + layer, kernels.get(layer - 1), channels[layer], channels[layer - 1], KERNEL, KERNEL);
            graph.weights("bias" + layer, biases.get(layer - 1), channels[layer]);
            graph.node(
                    "Conv",
                    "sum" + layer,
                    List.of(from, "kernel" + layer, "bias" + layer),
                    OnnxGraph.integers("kernel_shape", List.of((long) KERNEL, (long) KERNEL)),
                    OnnxGraph.integers("pads", List.of(1L, 1L, 1L, 1L)),
                    OnnxGraph.integers("strides", List.of(2L, 2L)));
            from = "relu" + layer;
            graph.node("Relu", from, List.of("sum" + layer));
        }
        return graph.weights("last", last, channels[channels.length - 1], classes)
                .node("GlobalAveragePool", "mean", List.of(from))
                .node("Flatten", "flat", List.of("mean"), OnnxGraph.integer("axis", 1))
                .node("MatMul", "logits", List.of("flat", "last"))
                .bytes();
    }
}
