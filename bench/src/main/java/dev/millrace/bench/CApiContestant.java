// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.ort.PreboundRun;
import dev.millrace.ort.RowRunner;
import dev.millrace.ort.RowTensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// ONNX Runtime's C API over two fixed regions: one copy in, a run, answers read in place.
abstract class CApiContestant implements Contestant {
    private final float[][] batches;
    private final OffHeapRegion in;
    private final OffHeapRegion out;
    private final MemorySegment inputs;
    private final MemorySegment outputs;

    private CApiContestant(Fixture fixture, Memory memory, int batch) {
        this.batches = fixture.rows().flat(batch);
        this.in = memory.in();
        this.out = memory.out();
        this.inputs = in.segment();
        this.outputs = out.segment();
    }

    /// OrtValues made once, then `Run` alone.
    static Contestant prebound(Fixture fixture, int batch) {
        return new Prebound(fixture, Memory.of(fixture, batch), batch);
    }

    /// OrtValues made for every run, as the lanes do.
    static Contestant perRun(Fixture fixture, int batch) {
        return new PerRun(fixture, Memory.of(fixture, batch), batch);
    }

    @Override
    public final void run(int index) {
        float[] rows = batches[index];
        MemorySegment.copy(rows, 0, inputs, JAVA_FLOAT, 0, rows.length);
        runModel();
    }

    @Override
    public final float answer(int element) {
        return outputs.getAtIndex(JAVA_FLOAT, element);
    }

    @Override
    public final void close() {
        closeRunner();
        in.close();
        out.close();
    }

    abstract void runModel();

    abstract void closeRunner();

    private record Memory(OffHeapRegion in, OffHeapRegion out, List<RowTensor> inputs, List<RowTensor> outputs) {
        static Memory of(Fixture fixture, int batch) {
            int inputWidth = fixture.model().inputWidth();
            int outputWidth = fixture.model().outputWidth();
            OffHeapRegion in = region(batch, inputWidth);
            OffHeapRegion out = region(batch, outputWidth);
            return new Memory(
                    in, out, rows(BenchModels.INPUT, inputWidth, in), rows(BenchModels.OUTPUT, outputWidth, out));
        }

        private static OffHeapRegion region(int batch, int width) {
            return OffHeapRegion.allocate(MemoryTag.CALL, (long) Float.BYTES * batch * width);
        }

        private static List<RowTensor> rows(String name, int width, OffHeapRegion region) {
            return List.of(new RowTensor(name, DataType.FP32, List.of((long) width), region));
        }
    }

    private static final class Prebound extends CApiContestant {
        private final PreboundRun run;

        Prebound(Fixture fixture, Memory memory, int batch) {
            super(fixture, memory, batch);
            run = new PreboundRun(fixture.session(), memory.inputs(), memory.outputs(), batch);
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

    private static final class PerRun extends CApiContestant {
        private final RowRunner runner;
        private final int batch;

        PerRun(Fixture fixture, Memory memory, int batch) {
            super(fixture, memory, batch);
            this.runner = fixture.session().rowRunner(memory.inputs(), memory.outputs());
            this.batch = batch;
        }

        @Override
        void runModel() {
            runner.run(0, batch);
        }

        @Override
        void closeRunner() {
            runner.close();
        }
    }
}
