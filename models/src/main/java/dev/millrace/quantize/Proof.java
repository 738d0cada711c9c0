// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.dataset.Dataset;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.SessionSettings.Optimization;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Runs what was written once, optimised as it will be, and as it is: kernels that fuse several nodes do not look at
/// all that those nodes would.
///
/// Threads: one.
final class Proof {
    private static final SessionSettings AS_IT_IS = SessionSettings.DEFAULT.withOptimization(Optimization.NONE);

    /// What dimensions of any size are tried with: models may take some only.
    private static final long[] SIZES = {3, 1, 2, 4, 8, 16, 32, 64, 128, 224, 256, 512};

    /// How many elements an input is given at most: for large ones the smaller sizes were tried.
    private static final double MOST_ELEMENTS = 1 << 24;

    private static final long SEED = 0x6d696c6c72616365L;

    private final Path made;

    Proof(Path made) {
        this.made = made;
    }

    /// Runs it on the first rows of data that the model was run on.
    void run(Dataset data, int batch) throws IOException {
        try (OnnxSession optimized = OnnxSession.open(made, SessionSettings.DEFAULT);
                OnnxSession plain = OnnxSession.open(made, AS_IT_IS)) {
            boolean[] done = new boolean[1];
            data.forEach(Calibration.rowsOf(optimized, batch), rows -> {
                if (!done[0]) {
                    require(optimized, rows.inputs());
                    require(plain, rows.inputs());
                    done[0] = true;
                }
            });
        }
    }

    /// Runs it on random numbers that the model can be run on. If there are none it is only loaded.
    void run(Path model) {
        try (OnnxSession original = OnnxSession.open(model, AS_IT_IS);
                OnnxSession optimized = OnnxSession.open(made, SessionSettings.DEFAULT);
                OnnxSession plain = OnnxSession.open(made, AS_IT_IS)) {
            boolean done = false;
            for (int i = 0; i < SIZES.length && !done && isSmall(original, SIZES[i]); i++) {
                Tensor[] inputs = random(original, SIZES[i]);
                try {
                    done = takes(original, inputs);
                    if (done) {
                        require(optimized, inputs);
                        require(plain, inputs);
                    }
                } finally {
                    close(inputs);
                }
            }
        }
    }

    private static boolean isSmall(OnnxSession session, long open) {
        return session.inputs().stream()
                .allMatch(input -> input.shape().stream()
                                .mapToDouble(dim -> (double) (dim < 0 ? open : dim))
                                .reduce(1, (a, b) -> a * b)
                        <= MOST_ELEMENTS);
    }

    private static boolean takes(OnnxSession session, Tensor[] inputs) {
        try {
            run(session, inputs);
            return true;
        } catch (OrtFailure _) {
            return false;
        }
    }

    private static void require(OnnxSession session, Tensor[] inputs) {
        try {
            run(session, inputs);
        } catch (OrtFailure e) {
            throw new InvalidModelException(
                    "what was made of the model is loaded, but does not run: "
                            + e.getMessage().lines().findFirst().orElse(""),
                    e);
        }
    }

    /// Not done where an output is no tensor.
    private static void run(OnnxSession session, Tensor[] inputs) {
        if (!session.outputs().stream().allMatch(output -> output.kind() == ValueInfo.Kind.TENSOR)) {
            return;
        }
        Tensor[] outputs = session.outputs().stream()
                .map(output -> new Tensor(MemoryTag.CALL, output.datatype()))
                .toArray(Tensor[]::new);
        try (TensorRunner runner = session.tensorRunner()) {
            runner.run(inputs, outputs);
        } finally {
            close(outputs);
        }
    }

    private static Tensor[] random(OnnxSession session, long open) {
        SplittableRandom random = new SplittableRandom(SEED);
        Tensor[] tensors = new Tensor[session.inputs().size()];
        for (int i = 0; i < tensors.length; i++) {
            ValueInfo input = session.inputs().get(i);
            long[] shape = input.shape().stream()
                    .mapToLong(dim -> dim < 0 ? open : dim)
                    .toArray();
            tensors[i] = new Tensor(MemoryTag.CALL, input.datatype()).reshape(shape);
            fill(tensors[i], random);
        }
        return tensors;
    }

    private static void fill(Tensor tensor, SplittableRandom random) {
        for (long i = 0; i < tensor.elementCount(); i++) {
            if (tensor.datatype().isFloating()) {
                tensor.setReal(i, random.nextDouble(-2, 2));
            } else if (tensor.datatype() == DataType.BYTES) {
                tensor.setString((int) i, "a");
            } else {
                tensor.setLong(i, random.nextInt(2));
            }
        }
    }

    private static void close(Tensor[] tensors) {
        Arrays.stream(tensors).forEach(Tensor::close);
    }
}
