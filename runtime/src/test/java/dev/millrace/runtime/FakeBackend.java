// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// A model in memory of rows of one float each: `y = 2x + 1`. It runs at once, or when the test says so, or fails.
final class FakeBackend implements Backend {
    /// A slice as it was when it was started.
    record Started(int instance, int firstSlot, int count) {}

    final List<Started> started = new ArrayList<>();
    final List<String> released = new ArrayList<>();
    final Deque<Started> pending = new ArrayDeque<>();
    final Deque<RuntimeException> failures = new ArrayDeque<>();
    private final float[] inputs;
    private final float[] outputs;
    boolean later;
    boolean unloadFails;
    boolean closed;
    int terminated;
    /// The run that every instance is in.
    long running = -1;
    /// Whether runs that end later are numbered, and fail when they end if they were terminated.
    boolean terminable;
    private final Map<Integer, Long> runs = new HashMap<>();
    private final Set<Integer> broken = new HashSet<>();
    /// A row of this value fails its batch.
    float poison = Float.NaN;
    Consumer<Started> onStart = _ -> {};
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
    public TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count) {
        onLoad.run();
        tensors.inputs()[0].getFloats(firstRow, inputs, firstSlot, count);
        return tensors;
    }

    @Override
    public boolean start(int instance, int firstSlot, int count) {
        Started run = new Started(instance, firstSlot, count);
        started.add(run);
        runs.merge(instance, 1L, Long::sum);
        onStart.accept(run);
        if (!failures.isEmpty()) {
            throw failures.pop();
        }
        for (int slot = firstSlot; slot < firstSlot + count; slot++) {
            if (inputs[slot] == poison) {
                throw new IllegalStateException("poisoned");
            }
        }
        if (later) {
            pending.add(run);
            return false;
        }
        compute(run);
        return true;
    }

    void compute(Started run) {
        for (int slot = run.firstSlot(); slot < run.firstSlot() + run.count(); slot++) {
            outputs[slot] = answer(inputs[slot]);
        }
    }

    /// Ends what was started to be run later.
    void complete(Lane lane, Started run) {
        pending.remove(run);
        compute(run);
        lane.completed(run.instance(), broken.remove(run.instance()) ? new IllegalStateException("terminated") : null);
    }

    /// Fails what was started to be run later.
    void fail(Lane lane, Started run) {
        pending.remove(run);
        broken.remove(run.instance());
        lane.completed(run.instance(), new IllegalStateException("device lost"));
    }

    private boolean isPending(int instance) {
        return pending.stream().anyMatch(run -> run.instance() == instance) && !broken.contains(instance);
    }

    @Override
    public TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count) {
        onUnload.run();
        if (unloadFails) {
            throw new IndexOutOfBoundsException("no room for the answer");
        }
        tensors.outputs()[0].putFloats(firstRow, outputs, firstSlot, count);
        return tensors;
    }

    @Override
    public void release(int firstSlot, int count) {
        released.add(firstSlot + "+" + count);
        Arrays.fill(outputs, firstSlot, firstSlot + count, Float.NaN);
    }

    @Override
    public long running(int instance) {
        return terminable && isPending(instance) ? runs.get(instance) : running;
    }

    @Override
    public boolean terminate(int instance, long run) {
        if (terminable && !(isPending(instance) && runs.get(instance) == run && broken.add(instance))) {
            return false;
        }
        terminated++;
        return true;
    }

    @Override
    public void close() {
        closed = true;
    }
}
