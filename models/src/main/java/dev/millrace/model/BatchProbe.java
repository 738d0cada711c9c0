// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/// Finds out at load time whether a model's rows are independent: it runs random rows together and alone and compares.
///
/// The declared shapes alone do not tell: a graph with a symbolic leading dimension may still mix its rows (a softmax
/// over the batch, a dynamically quantized layer whose scale depends on all rows).
final class BatchProbe {
    /// What a probe found.
    record Finding(Signature signature, Batching batching) {}

    private static final double CLOSE = 1e-4;
    private static final double CLOSE_HALVES = 1e-2;
    private static final int[] SIZES = {2, 3, 8};
    private static final long SEED = 0x6d696c6c72616365L;

    private final OnnxSession session;
    private final Signature declared;
    private final boolean halves;
    private boolean bitExact = true;

    BatchProbe(OnnxSession session, Signature declared) {
        this.session = session;
        this.declared = declared;
        this.halves = session.isHalf();
    }

    Finding examine() {
        String obstacle = obstacle();
        if (obstacle != null) {
            return new Finding(declared, Batching.none(obstacle));
        }
        try {
            return allLeadingDimsAre(1) ? probeOneRow() : probeRows();
        } catch (OrtFailure | IllegalArgumentException e) {
            return new Finding(declared, Batching.none("the probe's run failed: " + e.getMessage()));
        }
    }

    /// Why the declared signature rules out rows, or null.
    private String obstacle() {
        for (ValueInfo value : Stream.concat(session.inputs().stream(), session.outputs().stream())
                .toList()) {
            if (value.kind() != ValueInfo.Kind.TENSOR || !value.datatype().isNumeric()) {
                return "'" + value.name() + "' is not a numeric tensor";
            }
            if (value.shape().isEmpty() && session.inputs().contains(value)) {
                return "'" + value.name() + "' is a scalar";
            }
        }
        if (declared.inputs().isEmpty()) {
            return "the model has no inputs";
        }
        for (TensorSpec input : declared.inputs()) {
            if (input.shape().subList(1, input.shape().size()).stream().anyMatch(dim -> dim < 1)) {
                return "input '" + input.name() + "' has rows of variable size, shape " + input.shape();
            }
        }
        return allLeadingDimsAre(1) ? null : symbolicObstacle();
    }

    private String symbolicObstacle() {
        String name = session.inputs().getFirst().dimNames().getFirst();
        for (ValueInfo input : session.inputs()) {
            if (input.shape().getFirst() != -1) {
                return "input '" + input.name() + "' has no variable leading dimension, shape " + input.shape();
            }
            if (!input.dimNames().getFirst().equals(name)) {
                return "the leading dimensions of the inputs are called '" + name + "' and '"
                        + input.dimNames().getFirst() + "'";
            }
        }
        return null;
    }

    private boolean allLeadingDimsAre(long size) {
        return Stream.concat(declared.inputs().stream(), declared.outputs().stream())
                .allMatch(spec -> !spec.shape().isEmpty() && spec.shape().getFirst() == size);
    }

    private Finding probeOneRow() {
        try (Run run = new Run(1, new SplittableRandom(SEED))) {
            run.run();
            String mismatch = run.rowShapeMismatch(1);
            return mismatch == null
                    ? new Finding(
                            run.observed(1),
                            new Batching(Batching.Kind.ONE_ROW, "the leading dimension is fixed to 1", true))
                    : new Finding(declared, Batching.none(mismatch));
        }
    }

    private Finding probeRows() {
        Signature observed = null;
        String dependence = null;
        SplittableRandom random = new SplittableRandom(SEED);
        for (int rows : SIZES) {
            try (Run together = new Run(rows, random);
                    Run alone = new Run(1, random)) {
                together.run();
                String mismatch = together.rowShapeMismatch(rows);
                for (int row = 0; row < rows && mismatch == null; row++) {
                    alone.copyInputs(together, row);
                    alone.run();
                    mismatch = alone.rowShapeMismatch(1);
                    if (mismatch == null && dependence == null) {
                        dependence = compare(together, row, alone);
                    }
                }
                if (mismatch == null && observed != null && !observed.equals(together.observed(-1))) {
                    mismatch = "the shape of an output's rows depends on the number of rows";
                }
                if (mismatch != null) {
                    return new Finding(declared, Batching.none(mismatch));
                }
                observed = together.observed(-1);
            }
        }
        if (dependence != null) {
            return new Finding(observed, new Batching(Batching.Kind.NONE, dependence, true, true));
        }
        String reason = "rows run together gave the answers they gave alone";
        return new Finding(observed, new Batching(Batching.Kind.ROWS, reason, bitExact));
    }

    /// Compares one row of a run of many with the same row run alone; returns what differs, or null.
    private String compare(Run together, int row, Run alone) {
        for (int i = 0; i < alone.outputs.length; i++) {
            Tensor one = alone.outputs[i];
            Tensor many = together.outputs[i];
            long rowBytes = one.byteSize();
            if (MemorySegment.mismatch(many.data(), row * rowBytes, (row + 1) * rowBytes, one.data(), 0, rowBytes)
                    >= 0) {
                bitExact = false;
                if (!one.datatype().isFloating() || !close(many, row * one.elementCount(), one)) {
                    return "a row of output '" + declared.outputs().get(i).name()
                            + "' depends on the rows it is run with";
                }
            }
        }
        return null;
    }

    private boolean close(Tensor many, long first, Tensor one) {
        double scale = 0;
        for (long i = 0; i < one.elementCount(); i++) {
            double value = Math.abs(one.getReal(i));
            scale = Double.isFinite(value) ? Math.max(scale, value) : scale;
        }
        boolean half = halves || one.datatype() == DataType.FP16 || one.datatype() == DataType.BF16;
        double precision = half ? CLOSE_HALVES : CLOSE;
        for (long i = 0; i < one.elementCount(); i++) {
            double a = many.getReal(first + i);
            double b = one.getReal(i);
            boolean same = Double.compare(a, b) == 0 || Math.abs(a - b) <= precision * scale + 1e-7;
            if (!same) {
                return false;
            }
        }
        return true;
    }

    /// Inputs and outputs of one run, and the runner.
    private final class Run implements AutoCloseable {
        private final TensorRunner runner = session.tensorRunner();
        private final Tensor[] inputs;
        private final Tensor[] outputs;

        Run(int rows, SplittableRandom random) {
            inputs = declared.inputs().stream()
                    .map(spec -> randomRows(spec, rows, random))
                    .toArray(Tensor[]::new);
            outputs = declared.outputs().stream()
                    .map(spec -> new Tensor(MemoryTag.CALL, spec.datatype()))
                    .toArray(Tensor[]::new);
        }

        void run() {
            runner.run(inputs, outputs);
        }

        void copyInputs(Run other, int row) {
            for (int i = 0; i < inputs.length; i++) {
                long rowBytes = inputs[i].byteSize();
                MemorySegment.copy(other.inputs[i].data(), row * rowBytes, inputs[i].data(), 0, rowBytes);
            }
        }

        /// What keeps an output from being rows, or null.
        String rowShapeMismatch(long rows) {
            for (int i = 0; i < outputs.length; i++) {
                Tensor output = outputs[i];
                if (output.rank() == 0 || output.dim(0) != rows || output.elementCount() == 0) {
                    return "output '" + declared.outputs().get(i).name() + "' has shape "
                            + Arrays.toString(output.shape()) + " for " + rows + " rows";
                }
            }
            return null;
        }

        /// The signature with the outputs' shapes as they came out, their leading dimension replaced by `leading`.
        Signature observed(long leading) {
            List<TensorSpec> specs = new ArrayList<>();
            for (int i = 0; i < outputs.length; i++) {
                long[] shape = outputs[i].shape();
                shape[0] = leading;
                TensorSpec spec = declared.outputs().get(i);
                specs.add(new TensorSpec(
                        spec.name(),
                        spec.datatype(),
                        Arrays.stream(shape).boxed().toList()));
            }
            return new Signature(declared.inputs(), specs);
        }

        @Override
        public void close() {
            runner.close();
            Arrays.stream(inputs).forEach(Tensor::close);
            Arrays.stream(outputs).forEach(Tensor::close);
        }
    }

    private static Tensor randomRows(TensorSpec spec, int rows, SplittableRandom random) {
        Tensor tensor = new Tensor(MemoryTag.CALL, spec.datatype());
        long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = rows;
        tensor.reshape(shape);
        for (long i = 0; i < tensor.elementCount(); i++) {
            if (spec.datatype().isFloating()) {
                tensor.setReal(i, random.nextDouble(-2, 2));
            } else {
                tensor.setLong(i, random.nextInt(2));
            }
        }
        return tensor;
    }
}
