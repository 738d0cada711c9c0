// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;

/// `y = 2x + 1` from any threads, some slices on a thread of its own like a device, some of them failing. It watches
/// that a slot goes from free to loaded to running to free, and nothing else.
final class StressBackend implements Backend {
    static final float POISON = -1;

    private static final int FREE = 0;
    private static final int LOADED = 1;
    private static final int RUNNING = 2;

    final AtomicReference<String> violation = new AtomicReference<>();
    private final AtomicIntegerArray states;
    private final float[] inputs;
    private final float[] outputs;
    private final ExecutorService device = Executors.newSingleThreadExecutor();
    private final boolean asynchronous;
    Lane lane;

    StressBackend(int capacity, boolean asynchronous) {
        this.asynchronous = asynchronous;
        states = new AtomicIntegerArray(capacity);
        inputs = new float[capacity];
        outputs = new float[capacity];
    }

    private void step(int slot, int from, int to) {
        int was = states.getAndSet(slot, to);
        if (was != from) {
            violation.compareAndSet(null, "slot " + slot + " went to " + to + " from " + was + ", expected " + from);
        }
    }

    @Override
    public TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count) {
        for (int i = 0; i < count; i++) {
            step(firstSlot + i, FREE, LOADED);
        }
        tensors.inputs()[0].getFloats(firstRow, inputs, firstSlot, count);
        return tensors;
    }

    @Override
    public boolean start(int instance, int firstSlot, int count) {
        for (int slot = firstSlot; slot < firstSlot + count; slot++) {
            // The parts of a batch that has failed are started again.
            int was = states.getAndSet(slot, RUNNING);
            if (was == FREE) {
                violation.compareAndSet(null, "slot " + slot + " was started while it was free");
            }
        }
        if (asynchronous && count % 2 == 0) {
            device.execute(() -> {
                Throwable failure = null;
                try {
                    compute(firstSlot, count);
                } catch (IllegalStateException e) {
                    failure = e;
                }
                lane.completed(instance, failure);
            });
            return false;
        }
        compute(firstSlot, count);
        return true;
    }

    private void compute(int firstSlot, int count) {
        for (int slot = firstSlot; slot < firstSlot + count; slot++) {
            if (inputs[slot] == POISON) {
                throw new IllegalStateException("poisoned");
            }
            outputs[slot] = FakeBackend.answer(inputs[slot]);
        }
    }

    @Override
    public TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count) {
        tensors.outputs()[0].putFloats(firstRow, outputs, firstSlot, count);
        return tensors;
    }

    @Override
    public void release(int firstSlot, int count) {
        Arrays.fill(outputs, firstSlot, firstSlot + count, Float.NaN);
        for (int slot = firstSlot; slot < firstSlot + count; slot++) {
            // From loaded when it was dead before its run, and from free when it was padding.
            states.set(slot, FREE);
        }
    }

    @Override
    public long running(int instance) {
        return -1;
    }

    @Override
    public boolean terminate(int instance, long run) {
        return false;
    }

    @Override
    public void close() {
        device.shutdown();
    }
}
