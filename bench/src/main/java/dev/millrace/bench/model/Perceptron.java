// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import dev.millrace.memory.DataType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/// A multi-layer perceptron: a Gemm between each two widths and a Relu between each two Gemms.
///
/// @param widths of its layers, the input's first
/// @param weights per layer, by input and then by output
/// @param biases per layer
record Perceptron(int[] widths, List<float[]> weights, List<float[]> biases) {
    static Perceptron random(long seed, int... widths) {
        SplittableRandom random = new SplittableRandom(seed);
        List<float[]> weights = new ArrayList<>();
        List<float[]> biases = new ArrayList<>();
        for (int layer = 1; layer < widths.length; layer++) {
            int in = widths[layer - 1];
            // He initialisation keeps the values of every layer near one.
            weights.add(Draw.gaussians(random, in * widths[layer], Math.sqrt(2.0 / in)));
            biases.add(Draw.gaussians(random, widths[layer], 0.1));
        }
        return new Perceptron(widths, weights, biases);
    }

    String name() {
        return "mlp-" + Arrays.stream(widths).mapToObj(Integer::toString).collect(Collectors.joining("-"));
    }

    byte[] onnx() {
        int last = widths.length - 1;
        OnnxGraph graph = new OnnxGraph("mlp")
                .input(BenchModels.INPUT, DataType.FP32, -1, widths[0])
                .output(BenchModels.OUTPUT, DataType.FP32, -1, widths[last]);
        String from = BenchModels.INPUT;
        for (int layer = 1; layer <= last; layer++) {
            String sum = layer == last ? BenchModels.OUTPUT : "sum" + layer;
            graph.weights("weight" + layer, weights.get(layer - 1), widths[layer - 1], widths[layer]);
            graph.weights("bias" + layer, biases.get(layer - 1), widths[layer]);
            graph.node("Gemm", sum, List.of(from, "weight" + layer, "bias" + layer));
            if (layer < last) {
                from = "relu" + layer;
                graph.node("Relu", from, List.of(sum));
            }
        }
        return graph.bytes();
    }
}
