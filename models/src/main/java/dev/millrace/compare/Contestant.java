// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.inspect.ModelReport;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.OnnxModel;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// A model that is compared, loaded. Threads: one. Ownership: whoever made it closes it.
final class Contestant implements AutoCloseable {
    private final Path file;
    private final long bytes;
    private final OnnxModel model;
    private final TensorRunner runner;
    private final Tensor[] outputs;
    private int[] order;

    Contestant(Path file, SessionSettings settings) throws IOException {
        this.file = file;
        this.bytes = bytes(file);
        this.model = OnnxModel.load(file, settings);
        this.runner = model.session().tensorRunner();
        this.outputs = tensors(model.signature().outputs());
        this.order = new int[model.signature().inputs().size()];
        Arrays.setAll(order, i -> i);
    }

    /// The model and the files that it has beside it.
    private static long bytes(Path file) throws IOException {
        ModelReport report = ModelReport.of(file);
        long bytes = report.size().fileBytes();
        for (String external : report.externalFiles()) {
            bytes += Files.size(file.resolveSibling(external));
        }
        return bytes;
    }

    static Tensor[] tensors(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> new Tensor(MemoryTag.CALL, spec.datatype()))
                .toArray(Tensor[]::new);
    }

    /// Takes inputs in the order of another signature from now on.
    void follow(Signature signature) {
        List<TensorSpec> own = model.signature().inputs();
        order = new int[own.size()];
        Arrays.setAll(order, i -> signature.inputIndex(own.get(i).name()));
    }

    /// Runs the model; what it gives is there until the next run.
    Tensor[] run(Tensor[] inputs) {
        Tensor[] own = new Tensor[order.length];
        Arrays.setAll(own, i -> inputs[order[i]]);
        runner.run(own, outputs);
        return outputs;
    }

    Path file() {
        return file;
    }

    long bytes() {
        return bytes;
    }

    OnnxModel model() {
        return model;
    }

    Signature signature() {
        return model.signature();
    }

    @Override
    public void close() {
        runner.close();
        Arrays.stream(outputs).forEach(Tensor::close);
        model.close();
    }
}
