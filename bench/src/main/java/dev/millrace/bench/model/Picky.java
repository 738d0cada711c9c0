// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import dev.millrace.memory.DataType;
import java.util.List;
import java.util.SplittableRandom;

/// A perceptron that fails when a number of its input is not between -16 and 15: a run that has such a row does all of
/// its work, looks every number up in a table at the end, and fails there. So a failed run costs what a good one does.
final class Picky {
    /// The first whole number that is not in the table.
    static final int FIRST_BAD = 16;

    private static final int WIDTH = 64;
    private static final int HIDDEN = 1024;
    private static final long INT64 = 7;
    private static final long SEED = 0x7069636b79L;

    private Picky() {}

    static byte[] onnx() {
        SplittableRandom random = new SplittableRandom(SEED);
        return new OnnxGraph("picky")
                .input(BenchModels.INPUT, DataType.FP32, -1, WIDTH)
                .output(BenchModels.OUTPUT, DataType.FP32, -1, 1)
                .weights("first", weights(random, WIDTH, HIDDEN), WIDTH, HIDDEN)
                .weights("second", weights(random, HIDDEN, HIDDEN), HIDDEN, HIDDEN)
                .weights("third", weights(random, HIDDEN, 1), HIDDEN, 1)
                .weights("zero", new float[1], 1)
                .weights("table", new float[FIRST_BAD], FIRST_BAD)
                .node("MatMul", "sum1", List.of(BenchModels.INPUT, "first"))
                .node("Relu", "relu1", List.of("sum1"))
                .node("MatMul", "sum2", List.of("relu1", "second"))
                .node("Relu", "relu2", List.of("sum2"))
                .node("MatMul", "sum3", List.of("relu2", "third"))
                // Nothing is added, but this way the look-up comes last.
                .node("Mul", "nothing", List.of("sum3", "zero"))
                .node("Add", "late", List.of(BenchModels.INPUT, "nothing"))
                .node("Cast", "places", List.of("late"), OnnxGraph.integer("to", INT64))
                .node("Gather", "found", List.of("table", "places"), OnnxGraph.integer("axis", 0))
                .node(
                        "ReduceMax",
                        "most",
                        List.of("found"),
                        OnnxGraph.integers("axes", List.of(1L)),
                        OnnxGraph.integer("keepdims", 1))
                .node("Add", BenchModels.OUTPUT, List.of("sum3", "most"))
                .bytes();
    }

    private static float[] weights(SplittableRandom random, int in, int out) {
        return Draw.gaussians(random, in * out, Math.sqrt(2.0 / in));
    }
}
