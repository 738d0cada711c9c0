// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.memory.Tensor;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;

/// How far the answers of a model are from those of the model that it was made of, on random inputs.
///
/// @param runs how many inputs both were run on
/// @param equal whether the answers were equal to the bit
/// @param difference the largest difference of two numbers, as a part of the largest number of their output
/// @param obstacle why they were not compared; empty if they were
public record Agreement(int runs, boolean equal, double difference, String obstacle) {
    private static final int RUNS = 4;
    private static final long SEED = 0x6d696c6c72616365L;
    /// What dimensions of any size are tried with: models may take some only.
    static final long[] OPEN_SIZES = {3, 1, 2, 4, 8, 16, 32, 64, 128, 224, 256, 512};

    /// Whether both were run.
    public boolean isCompared() {
        return obstacle.isEmpty();
    }

    /// Runs two models on the same inputs.
    ///
    /// @param tolerance how far they may be apart, as a part of an output's largest number
    /// @throws ConversionFailed if `made` cannot be run where `original` can, or gives other answers
    static Agreement of(Path original, Path made, double tolerance) {
        String obstacle = "";
        try (Probe should = Probe.open(original, SessionSettings.DEFAULT);
                Probe is = opened(made)) {
            for (long size : OPEN_SIZES) {
                if (!should.fits(0, size)) {
                    obstacle = obstacle.isEmpty() ? "inputs are too large" : obstacle;
                    continue;
                }
                try (Tensors inputs = should.random(new SplittableRandom(SEED), 0, size);
                        Tensors _ = should.run(inputs)) {
                    return compare(should, is, size, tolerance);
                } catch (OrtFailure e) {
                    obstacle = obstacle.isEmpty() ? firstLine(e) : obstacle;
                }
            }
        }
        return new Agreement(0, false, 0, "it cannot be run on random inputs: " + obstacle);
    }

    private static Probe opened(Path made) {
        try {
            return Probe.open(made, SessionSettings.DEFAULT);
        } catch (OrtFailure e) {
            throw new ConversionFailed("ONNX Runtime does not load what was made: " + firstLine(e), e);
        }
    }

    private static Agreement compare(Probe should, Probe is, long size, double tolerance) {
        SplittableRandom random = new SplittableRandom(SEED);
        double worst = 0;
        boolean equal = true;
        for (int run = 0; run < RUNS; run++) {
            try (Tensors inputs = should.random(random, 0, size);
                    Tensors expected = should.run(inputs);
                    Tensors came = ran(is, inputs)) {
                for (int i = 0; i < expected.all().length; i++) {
                    String name = "output '" + should.outputs().get(i).name() + "'";
                    Difference difference = compare(name, expected.all()[i], came.all()[i]);
                    require(name, difference, tolerance);
                    worst = Math.max(worst, difference.relative());
                    equal &= difference.isEqual();
                }
            }
        }
        return new Agreement(RUNS, equal, worst, "");
    }

    private static Tensors ran(Probe is, Tensors inputs) {
        try {
            return is.run(inputs);
        } catch (OrtFailure e) {
            throw new ConversionFailed("what was made does not run: " + firstLine(e), e);
        }
    }

    private static Difference compare(String name, Tensor should, Tensor is) {
        if (should.datatype() != is.datatype() || !Arrays.equals(should.shape(), is.shape())) {
            throw new ConversionFailed(name + " came as " + is + ", expected " + should);
        }
        Difference difference = new Difference();
        for (long i = 0; i < should.elementCount(); i++) {
            difference.add(should, i, is, i);
        }
        return difference;
    }

    private static void require(String name, Difference difference, double tolerance) {
        if (difference.obstacle() != null) {
            throw new ConversionFailed("a value of " + name + " " + difference.obstacle());
        }
        if (!difference.isWithin(tolerance)) {
            throw new ConversionFailed(name + " differs by " + difference.largest() + ", which is "
                    + difference.relative() + " of its largest value, expected at most " + tolerance);
        }
    }

    /// What ONNX Runtime says, without the places in its sources that may follow.
    static String firstLine(OrtFailure e) {
        return e.getMessage().lines().findFirst().orElse("").strip();
    }
}
