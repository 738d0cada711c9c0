// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/// A model in memory of rows of one float each: `y = 2x + 1`. It runs at once, or when the test says so, or fails.
final class FakeBackend implements Backend {
    /// A slice as it was when it was started.
    record Started(int instance, int firstSlot, int count) {}

    final List<Started> started = new ArrayList<>();
    final List<String> released = new ArrayList<>();
    final Deque<Slice> pending = new ArrayDeque<>();
    final Deque<RuntimeException> failures = new ArrayDeque<>();
    private final float[] inputs;
    private final float[] outputs;
    boolean later;
    boolean unloadFails;
    boolean closed;
    int terminated;
    Consumer<Slice> onStart = slice -> {};
    Runnable onLoad = () -> {};
    Runnable onUnload = () -> {};

    FakeBackend(int capacity) {
        inputs = new float[capacity];
        outputs = new float[capacity];
    }

    static float answer(float x) {
        return 2 * x + 1;
    }

    /// The batch sizes so far.
    List<Integer> counts() {
        return started.stream().map(Started::count).toList();
    }

    @Override
    public void load(Call call, int firstRow, int firstSlot, int count) {
        onLoad.run();
        call.input(0).getFloats(firstRow, inputs, firstSlot, count);
    }

    @Override
    public boolean start(Slice slice) {
        started.add(new Started(slice.instance(), slice.firstSlot(), slice.count()));
        onStart.accept(slice);
        if (!failures.isEmpty()) {
            throw failures.pop();
        }
        if (later) {
            pending.add(slice);
            return false;
        }
        compute(slice);
        return true;
    }

    void compute(Slice slice) {
        for (int slot = slice.firstSlot(); slot < slice.firstSlot() + slice.count(); slot++) {
            outputs[slot] = answer(inputs[slot]);
        }
    }

    /// Ends a slice that was started to be run later.
    void complete(Lane lane, Slice slice) {
        pending.remove(slice);
        compute(slice);
        lane.completed(slice, null);
    }

    @Override
    public void unload(Call call, int firstRow, int firstSlot, int count) {
        onUnload.run();
        if (unloadFails) {
            throw new IndexOutOfBoundsException("no room for the answer");
        }
        call.output(0).putFloats(firstRow, outputs, firstSlot, count);
    }

    @Override
    public void release(int firstSlot, int count) {
        released.add(firstSlot + "+" + count);
        Arrays.fill(outputs, firstSlot, firstSlot + count, Float.NaN);
    }

    @Override
    public void terminate(Slice slice) {
        terminated++;
    }

    @Override
    public void close() {
        closed = true;
    }
}
