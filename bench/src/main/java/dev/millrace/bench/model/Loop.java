// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import dev.millrace.memory.DataType;
import java.util.List;
import java.util.SplittableRandom;

/// A model whose run takes as long as it is told: as many products of two matrices as the largest number of its input
/// says, none if that is below 1. Every row is answered with itself, whatever shares its run, so that a long run comes
/// as a surprise to whoever has only seen short ones.
final class Loop {
    private static final int WIDTH = 4;
    private static final int SIZE = 128;
    private static final long INT64 = 7;

    private Loop() {}

    static byte[] onnx() {
        OnnxGraph body = new OnnxGraph("product")
                .input("turn", DataType.INT64)
                .input("condition", DataType.BOOL)
                .input("before", DataType.FP32, SIZE, SIZE)
                .output("again", DataType.BOOL)
                .output("after", DataType.FP32, SIZE, SIZE)
                .node("Identity", "again", List.of("condition"))
                .node("MatMul", "after", List.of("before", "one"));
        return new OnnxGraph("loop")
                .input(BenchModels.INPUT, DataType.FP32, -1, WIDTH)
                .output(BenchModels.OUTPUT, DataType.FP32, -1, WIDTH)
                .weights("state", Draw.gaussians(new SplittableRandom(1), SIZE * SIZE, 1), SIZE, SIZE)
                .weights("one", identity(), SIZE, SIZE)
                .weights("zero", new float[1], 1)
                .node("ReduceMax", "largest", List.of(BenchModels.INPUT), OnnxGraph.integer("keepdims", 0))
                .node("Cast", "turns", List.of("largest"), OnnxGraph.integer("to", INT64))
                .node("Loop", "end", List.of("turns", "", "state"), OnnxGraph.graph("body", body))
                .node("ReduceMax", "rest", List.of("end"), OnnxGraph.integer("keepdims", 0))
                .node("Mul", "nothing", List.of("rest", "zero"))
                .node("Add", BenchModels.OUTPUT, List.of(BenchModels.INPUT, "nothing"))
                .bytes();
    }

    private static float[] identity() {
        float[] values = new float[SIZE * SIZE];
        for (int i = 0; i < SIZE; i++) {
            values[i * SIZE + i] = 1;
        }
        return values;
    }
}
