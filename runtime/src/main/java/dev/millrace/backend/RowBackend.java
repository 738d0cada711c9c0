// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.RowRunner;
import dev.millrace.ort.RowTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Slots that are rows of one region per tensor: the rows of a slice are the batch tensor, nothing is gathered.
public final class RowBackend implements Backend {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final Supplier<TensorSet> fresh;
    private final Side inputs;
    private final Side outputs;
    private final RowRunner[] runners;

    private RowBackend(Signature signature, int instances, Supplier<TensorSet> fresh) {
        this.fresh = fresh;
        inputs = new Side(signature.inputs().size());
        outputs = new Side(signature.outputs().size());
        runners = new RowRunner[instances];
    }

    /// Allocates the rows and makes a runner per instance; or fails, and holds nothing.
    ///
    /// @param memory what the rows are booked in
    /// @param fresh makes tensors for a call
    public static RowBackend open(
            OnnxSession session,
            Signature signature,
            int capacity,
            int instances,
            MemoryBudget memory,
            Supplier<TensorSet> fresh) {
        RowBackend backend = new RowBackend(signature, instances, fresh);
        try {
            backend.inputs.allocate(signature.inputs(), capacity, memory);
            backend.outputs.allocate(signature.outputs(), capacity, memory);
            for (int i = 0; i < instances; i++) {
                backend.runners[i] = session.rowRunner(backend.inputs.tensors, backend.outputs.tensors);
            }
            return backend;
        } catch (RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    /// The bytes that one slot takes in all regions.
    public static long slotBytes(Signature signature) {
        long bytes = 0;
        for (TensorSpec spec : signature.inputs()) {
            bytes += rowBytes(spec);
        }
        for (TensorSpec spec : signature.outputs()) {
            bytes += rowBytes(spec);
        }
        return bytes;
    }

    private static long rowBytes(TensorSpec spec) {
        return rowShape(spec).stream().reduce((long) spec.datatype().byteSize(), Math::multiplyExact);
    }

    private static List<Long> rowShape(TensorSpec spec) {
        return spec.shape().subList(1, spec.shape().size());
    }

    @Override
    @Hot
    public TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count) {
        Tensor[] from = tensors.inputs();
        for (int i = 0; i < from.length; i++) {
            inputs.put(i, from[i], firstRow, firstSlot, count);
        }
        return tensors;
    }

    @Override
    @Hot
    public boolean start(int instance, int firstSlot, int count) {
        runners[instance].run(firstSlot, count);
        return true;
    }

    @Override
    @Hot
    public TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count) {
        Tensor[] to = tensors.outputs();
        for (int i = 0; i < to.length; i++) {
            outputs.get(i, to[i], firstRow, firstSlot, count);
        }
        return tensors;
    }

    @Override
    @Hot
    public void release(int firstSlot, int count) {}

    @Override
    public TensorSet spare() {
        return fresh.get();
    }

    @Override
    public long running(int instance) {
        return runners[instance].running();
    }

    @Override
    public boolean terminate(int instance, long run) {
        return runners[instance].terminate(run);
    }

    @Override
    public void close() {
        for (RowRunner runner : runners) {
            if (runner != null) {
                runner.close();
            }
        }
        inputs.close();
        outputs.close();
    }

    /// The regions of one side.
    private static final class Side implements AutoCloseable {
        private final List<RowTensor> tensors = new ArrayList<>();
        private final MemorySegment[] memory;
        private final long[] rowBytes;

        Side(int count) {
            memory = new MemorySegment[count];
            rowBytes = new long[count];
        }

        void allocate(List<TensorSpec> specs, int capacity, MemoryBudget budget) {
            for (int i = 0; i < memory.length; i++) {
                TensorSpec spec = specs.get(i);
                rowBytes[i] = rowBytes(spec);
                OffHeapRegion region =
                        OffHeapRegion.allocate(budget, MemoryTag.RING, Math.multiplyExact(capacity, rowBytes[i]));
                memory[i] = region.segment();
                tensors.add(new RowTensor(spec.name(), spec.datatype(), rowShape(spec), region));
            }
        }

        @Hot
        void put(int index, Tensor source, int firstRow, int firstSlot, int count) {
            long bytes = rowBytes[index];
            MemorySegment.copy(source.data(), firstRow * bytes, memory[index], firstSlot * bytes, count * bytes);
        }

        @Hot
        void get(int index, Tensor target, int firstRow, int firstSlot, int count) {
            long bytes = rowBytes[index];
            if (count * bytes == Integer.BYTES) {
                // A score: a copy of any length costs more than this.
                target.data().set(INT, firstRow * bytes, memory[index].get(INT, firstSlot * bytes));
                return;
            }
            MemorySegment.copy(memory[index], firstSlot * bytes, target.data(), firstRow * bytes, count * bytes);
        }

        @Override
        public void close() {
            tensors.forEach(tensor -> tensor.region().close());
        }
    }
}
