// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.PreboundRun;
import dev.millrace.ort.RowRunner;
import dev.millrace.ort.RowTensor;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// ONNX Runtime's C API over memory of our own: one copy in, a run, answers read in place.
abstract class CApiContestant implements Contestant {
    /// By example and input; null where an input is of strings.
    private final MemorySegment[][] sources;
    private final byte[][][][] texts;
    private final List<TensorSpec> outputSpecs;
    final Tensor[] inputs;
    final Tensor[] outputs;
    /// Where each input is copied to.
    final MemorySegment[] targets;

    private CApiContestant(Fixture fixture, int batch) {
        List<List<Value>> examples = fixture.examples().all(batch);
        this.sources = new MemorySegment[examples.size()][];
        this.texts = new byte[examples.size()][][][];
        for (int index = 0; index < sources.length; index++) {
            List<Value> values = examples.get(index);
            sources[index] = values.stream()
                    .map(value -> value.datatype() == DataType.BYTES ? null : value.segment())
                    .toArray(MemorySegment[]::new);
            texts[index] = values.stream()
                    .map(value -> value.datatype() == DataType.BYTES ? value.utf8() : null)
                    .toArray(byte[][][]::new);
        }
        this.outputSpecs = fixture.signature().outputs();
        this.inputs = examples.getFirst().stream()
                .map(value -> new Tensor(MemoryTag.CALL, value.datatype()).reshape(value.shape()))
                .toArray(Tensor[]::new);
        this.outputs = outputSpecs.stream()
                .map(spec -> new Tensor(MemoryTag.CALL, spec.datatype()))
                .toArray(Tensor[]::new);
        this.targets = Arrays.stream(inputs).map(Tensor::data).toArray(MemorySegment[]::new);
    }

    /// OrtValues made once, then `Run` alone; or, where outputs cannot be bound before they are known, whole tensors.
    static Contestant floor(Fixture fixture, int batch) {
        Whole whole = new Whole(fixture, batch);
        try {
            if (whole.obstacle().isPresent()) {
                return whole;
            }
            Contestant prebound = new Prebound(fixture, batch, whole.outputs);
            whole.close();
            return prebound;
        } catch (RuntimeException e) {
            whole.close();
            throw e;
        }
    }

    /// Why the floor cannot be prebound for this model; empty if it is.
    static Optional<String> floorObstacle(Fixture fixture, int batch) {
        try (Whole whole = new Whole(fixture, batch)) {
            return whole.obstacle();
        }
    }

    /// OrtValues made for every run, as the lanes do.
    static Contestant perRun(Fixture fixture, int batch) {
        if (!fixture.hasRows()) {
            throw new Unavailable(
                    "rows are not independent: " + fixture.batching().reason());
        }
        return new PerRun(fixture, batch);
    }

    @Override
    public final void run(int index) {
        MemorySegment[] source = sources[index];
        for (int i = 0; i < source.length; i++) {
            if (source[i] == null) {
                copyTexts(index, i);
            } else {
                MemorySegment.copy(source[i], 0, targets[i], 0, source[i].byteSize());
            }
        }
        runModel();
    }

    private void copyTexts(int index, int input) {
        byte[][] words = texts[index][input];
        for (int i = 0; i < words.length; i++) {
            inputs[input].setBytes(i, words[i]);
        }
    }

    @Override
    public List<Value> answers() {
        List<Value> answers = new ArrayList<>();
        for (int i = 0; i < outputs.length; i++) {
            answers.add(Value.of(outputSpecs.get(i).name(), outputs[i]));
        }
        return answers;
    }

    final int examples() {
        return sources.length;
    }

    @Override
    public final void close() {
        closeRunner();
        Arrays.stream(inputs).forEach(Tensor::close);
        Arrays.stream(outputs).forEach(Tensor::close);
    }

    abstract void runModel();

    abstract void closeRunner();

    private static final class Prebound extends CApiContestant {
        private final PreboundRun run;

        /// @param like tensors of the outputs' shapes
        Prebound(Fixture fixture, int batch, Tensor[] like) {
            super(fixture, batch);
            for (int i = 0; i < outputs.length; i++) {
                outputs[i].reshape(like[i].shape());
            }
            run = new PreboundRun(fixture.model().session(), inputs, outputs);
        }

        @Override
        void runModel() {
            run.run();
        }

        @Override
        void closeRunner() {
            run.close();
        }
    }

    /// The values of inputs and outputs are made for each run, outputs by ONNX Runtime, and outputs are copied.
    private static final class Whole extends CApiContestant {
        private final List<ValueInfo> values;
        private final TensorRunner runner;

        Whole(Fixture fixture, int batch) {
            super(fixture, batch);
            OnnxSession session = fixture.model().session();
            values = Stream.concat(session.inputs().stream(), session.outputs().stream())
                    .toList();
            runner = session.tensorRunner();
        }

        /// Why outputs cannot be bound before they are known. Runs all examples.
        Optional<String> obstacle() {
            for (ValueInfo value : values) {
                if (value.kind() != ValueInfo.Kind.TENSOR || value.datatype() == DataType.BYTES) {
                    return Optional.of("'" + value.name() + "' is not a numeric tensor");
                }
            }
            List<long[]> shapes = new ArrayList<>();
            for (int index = 0; index < examples(); index++) {
                runOrComplain(index);
                for (int i = 0; i < outputs.length; i++) {
                    if (index == 0) {
                        shapes.add(outputs[i].shape());
                    } else if (!Arrays.equals(shapes.get(i), outputs[i].shape())) {
                        String name = super.outputSpecs.get(i).name();
                        return Optional.of("the shape of output '" + name + "' depends on what is asked");
                    }
                }
            }
            return Optional.empty();
        }

        private void runOrComplain(int index) {
            try {
                run(index);
            } catch (OrtFailure e) {
                throw new Unavailable("the model does not answer what it is asked: " + e.getMessage(), e);
            }
        }

        @Override
        void runModel() {
            runner.run(inputs, outputs);
        }

        @Override
        void closeRunner() {
            runner.close();
        }
    }

    private static final class PerRun extends CApiContestant {
        private final List<OffHeapRegion> regions = new ArrayList<>();
        private final RowRunner runner;
        private final int batch;

        PerRun(Fixture fixture, int batch) {
            super(fixture, batch);
            this.batch = batch;
            List<RowTensor> in = rows(fixture.signature().inputs());
            List<RowTensor> out = rows(fixture.signature().outputs());
            for (int i = 0; i < targets.length; i++) {
                targets[i] = in.get(i).region().segment();
            }
            runner = fixture.model().session().rowRunner(in, out);
        }

        private List<RowTensor> rows(List<TensorSpec> specs) {
            List<RowTensor> rows = new ArrayList<>();
            for (TensorSpec spec : specs) {
                List<Long> row = spec.shape().subList(1, spec.shape().size());
                long elements = row.stream().reduce((long) batch, Math::multiplyExact);
                regions.add(OffHeapRegion.allocate(
                        MemoryTag.CALL, elements * spec.datatype().byteSize()));
                rows.add(new RowTensor(spec.name(), spec.datatype(), row, regions.getLast()));
            }
            return rows;
        }

        @Override
        void runModel() {
            runner.run(0, batch);
        }

        @Override
        public List<Value> answers() {
            for (int i = 0; i < outputs.length; i++) {
                TensorSpec spec = super.outputSpecs.get(i);
                long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
                shape[0] = batch;
                outputs[i].reshape(shape);
                MemorySegment rows = regions.get(inputs.length + i).segment();
                MemorySegment.copy(rows, 0, outputs[i].data(), 0, outputs[i].byteSize());
            }
            return super.answers();
        }

        @Override
        void closeRunner() {
            runner.close();
            regions.forEach(OffHeapRegion::close);
        }
    }
}
