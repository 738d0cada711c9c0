// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.memory.Tensor;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Runs rows together by one model and alone by another: each row's answer has to be the same. Threads: one.
final class RowProof {
    /// How many rows are run together.
    static final List<Integer> BATCHES = List.of(1, 2, 3, 8);

    private static final long SEED = 0x6d696c6c72616365L;
    /// Kernels add up in another order for more rows.
    private static final double TOLERANCE = 1e-4;

    /// What was found.
    ///
    /// @param equal whether all answers were equal to the bit
    /// @param difference the largest difference as a part of an output's largest value
    record Finding(boolean equal, double difference) {}

    private final Path one;
    private final Path many;
    private final Map<String, Integer> axes;
    private final Scratch scratch;
    private boolean equal = true;
    private double worst;

    /// @param one the model that takes one row
    /// @param many the model that takes any number
    /// @param axes where the batch dimension of values is
    RowProof(Path one, Path many, Map<String, Integer> axes, Scratch scratch) {
        this.one = one;
        this.many = many;
        this.axes = axes;
        this.scratch = scratch;
    }

    /// @throws ConversionFailed if an answer is another
    Finding prove() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        try (Probe alone = Probe.open(one, SessionSettings.DEFAULT);
                Probe together = load()) {
            for (int rows : BATCHES) {
                try (Tensors inputs = together.random(random, rows, 1);
                        Tensors came = run(together, inputs)) {
                    for (int row = 0; row < rows; row++) {
                        compare(alone, inputs, came, row, rows);
                    }
                }
            }
        }
        return new Finding(equal, worst);
    }

    private Probe load() {
        try {
            return Probe.open(many, SessionSettings.DEFAULT);
        } catch (OrtFailure e) {
            throw new ConversionFailed("the graph does not allow more rows: " + Agreement.firstLine(e), e);
        }
    }

    private Tensors run(Probe together, Tensors inputs) throws IOException {
        try {
            return together.run(inputs);
        } catch (OrtFailure e) {
            String culprit = culprit();
            throw new ConversionFailed(
                    culprit.isEmpty() ? "more rows do not run: " + Agreement.firstLine(e) : culprit, e);
        }
    }

    private void compare(Probe alone, Tensors inputs, Tensors came, int row, int rows) throws IOException {
        try (Tensors input = inputs.row(row);
                Tensors expected = alone.run(input)) {
            for (int i = 0; i < expected.all().length; i++) {
                String name = alone.outputs().get(i).name();
                Difference difference = difference(expected.all()[i], came.all()[i], 0, row, rows);
                if (difference == null || !difference.isWithin(TOLERANCE)) {
                    String culprit = culprit();
                    throw new ConversionFailed("output '" + name + "' of a row is another when it is run with others"
                            + (culprit.isEmpty() ? "" : ": " + culprit));
                }
                equal &= difference.isEqual();
                worst = Math.max(worst, difference.relative());
            }
        }
    }

    /// Compares what a row gives alone with its part of what several give; null if that has not the shape for it.
    private static Difference difference(Tensor alone, Tensor together, int axis, int row, int rows) {
        long[] expected = alone.shape();
        if (axis >= expected.length) {
            return null;
        }
        expected[axis] *= rows;
        if (!Arrays.equals(expected, together.shape()) || alone.datatype() != together.datatype()) {
            return null;
        }
        long part = 1;
        for (int i = axis; i < expected.length; i++) {
            part *= alone.dim(i);
        }
        Difference difference = new Difference();
        for (long i = 0; i < alone.elementCount(); i++) {
            long outer = i / part;
            difference.add(alone, i, together, (outer * rows + row) * part + i % part);
        }
        return difference;
    }

    /// The first node that does not give two rows what it gives each alone, as a sentence; empty where that cannot be
    /// told.
    private String culprit() throws IOException {
        try (OnnxFile file = OnnxFile.open(many);
                Probe alone = Exposed.open(one, scratch);
                Probe together = Exposed.open(many, scratch);
                Tensors inputs = together.random(new SplittableRandom(SEED), 2, 1);
                Tensors came = together.run(inputs);
                Tensors row = inputs.row(1);
                Tensors expected = alone.run(row)) {
            for (OnnxNode node : file.graph().nodes()) {
                for (String output : node.outputs()) {
                    Tensor should = named(alone, expected, output);
                    Tensor is = named(together, came, output);
                    if (axes.containsKey(output) && should != null && is != null) {
                        Difference difference = difference(should, is, axes.get(output), 1, 2);
                        if (difference == null || !difference.isWithin(TOLERANCE)) {
                            return "node " + node.describe() + " makes '" + output + "' "
                                    + (difference == null
                                            ? "of shape " + Arrays.toString(is.shape()) + " for 2 rows, and "
                                                    + Arrays.toString(should.shape()) + " for one"
                                            : "another for a row that has company");
                        }
                    }
                }
            }
            return "";
        } catch (OrtFailure e) {
            return Agreement.firstLine(e);
        }
    }

    private static Tensor named(Probe probe, Tensors outputs, String name) {
        for (int i = 0; i < outputs.all().length; i++) {
            if (probe.outputs().get(i).name().equals(name)) {
                return outputs.all()[i];
            }
        }
        return null;
    }
}
