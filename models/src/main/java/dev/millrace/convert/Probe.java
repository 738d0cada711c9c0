// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// A model that is run on random inputs. Threads: one. Ownership: whoever opens it closes it.
final class Probe implements AutoCloseable {
    /// Elements of an input beyond which it is not tried.
    private static final double MOST = 1 << 28;

    private final OnnxSession session;
    private final TensorRunner runner;

    private Probe(OnnxSession session) {
        this.session = session;
        this.runner = session.tensorRunner();
    }

    /// @throws dev.millrace.ort.OrtFailure if it cannot be loaded
    static Probe open(Path model, SessionSettings settings) {
        return new Probe(OnnxSession.open(model, settings));
    }

    List<ValueInfo> inputs() {
        return session.inputs();
    }

    List<ValueInfo> outputs() {
        return session.outputs();
    }

    /// Whether no input of these sizes is so large that trying it would rather fill the memory.
    boolean fits(long rows, long open) {
        return inputs().stream()
                .allMatch(input ->
                        Arrays.stream(shape(input, rows, open)).asDoubleStream().reduce(1, (a, b) -> a * b) <= MOST);
    }

    private static long[] shape(ValueInfo input, long rows, long open) {
        long[] shape =
                input.shape().stream().mapToLong(dim -> dim < 0 ? open : dim).toArray();
        if (rows > 0 && shape.length > 0) {
            shape[0] = rows;
        }
        return shape;
    }

    /// Random values: floats from -2 to 2, whole numbers 0 and 1, short texts.
    ///
    /// @param rows the leading dimension of each; 0 to leave it as it is
    /// @param open the size of dimensions of any size
    Tensors random(SplittableRandom random, long rows, long open) {
        Tensor[] tensors = new Tensor[inputs().size()];
        for (int i = 0; i < tensors.length; i++) {
            ValueInfo input = inputs().get(i);
            tensors[i] = new Tensor(MemoryTag.CALL, input.datatype()).reshape(shape(input, rows, open));
            fill(tensors[i], random);
        }
        return new Tensors(tensors);
    }

    private static void fill(Tensor tensor, SplittableRandom random) {
        for (long i = 0; i < tensor.elementCount(); i++) {
            if (tensor.datatype().isFloating()) {
                tensor.setReal(i, random.nextDouble(-2, 2));
            } else if (tensor.datatype() == DataType.BYTES) {
                tensor.setString((int) i, Character.toString('a' + random.nextInt(26)));
            } else {
                tensor.setLong(i, random.nextInt(2));
            }
        }
    }

    /// @throws dev.millrace.ort.OrtFailure if the run fails
    Tensors run(Tensors inputs) {
        Tensor[] outputs = outputs().stream()
                .map(output -> new Tensor(MemoryTag.CALL, output.datatype()))
                .toArray(Tensor[]::new);
        Tensors made = new Tensors(outputs);
        try {
            runner.run(inputs.all(), outputs);
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    @Override
    public void close() {
        runner.close();
        session.close();
    }
}
