// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.backend.Backend;
import dev.millrace.backend.TensorSet;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.util.ArrayDeque;
import java.util.Deque;

/// An instance of a model of rows of one number, on which it leaves its stamp: the answer is the number times [#BASE]
/// plus the stamp, so that of several models that one answer has gone through it tells them all, in their order. Its
/// runs end when the test says so. It fails whoever uses it when it is closed.
///
/// Threads: as its lane's; runs end by one. Ownership: it holds some native memory until it is closed.
final class StampEngine implements Backend {
    /// More than stamps there are.
    static final int BASE = 64;

    private final int stamp;
    private final String model;
    private final Runnable admitted;
    private final float[] inputs;
    private final float[] outputs;
    private final OffHeapRegion held;
    private final Deque<int[]> pending = new ArrayDeque<>();
    private Lane lane;
    private boolean atOnce;
    private boolean closed;

    /// @param admitted told before a request's rows are taken in
    StampEngine(int stamp, String model, int capacity, MemoryBudget memory, Runnable admitted) {
        assertThat(stamp).isBetween(1, BASE - 1);
        this.stamp = stamp;
        this.model = model;
        this.admitted = admitted;
        inputs = new float[capacity];
        outputs = new float[capacity];
        held = OffHeapRegion.allocate(memory, MemoryTag.RING, 64L * capacity);
    }

    /// Where its runs are told of.
    void serve(Lane itsLane) {
        lane = itsLane;
    }

    int stamp() {
        return stamp;
    }

    String model() {
        return model;
    }

    boolean isClosed() {
        return closed;
    }

    /// Whether runs are over when they begin, from now on. If so, ends those that have begun.
    void atOnce(boolean from) {
        atOnce = from;
        while (from && hasPending()) {
            complete();
        }
    }

    boolean hasPending() {
        return !pending.isEmpty();
    }

    /// Ends the run that began first.
    void complete() {
        requireOpen();
        int[] run = pending.poll();
        compute(run[1], run[2]);
        lane.completed(run[0], null);
    }

    private void requireOpen() {
        if (closed) {
            throw new AssertionError("instance " + stamp + " of " + model + " is closed");
        }
    }

    private void compute(int firstSlot, int count) {
        for (int slot = firstSlot; slot < firstSlot + count; slot++) {
            outputs[slot] = inputs[slot] * BASE + stamp;
        }
    }

    @Override
    public TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count) {
        requireOpen();
        admitted.run();
        tensors.inputs()[0].getFloats(firstRow, inputs, firstSlot, count);
        return tensors;
    }

    @Override
    public boolean start(int instance, int firstSlot, int count) {
        requireOpen();
        if (atOnce) {
            compute(firstSlot, count);
            return true;
        }
        pending.add(new int[] {instance, firstSlot, count});
        return false;
    }

    @Override
    public TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count) {
        requireOpen();
        tensors.outputs()[0].putFloats(firstRow, outputs, firstSlot, count);
        return tensors;
    }

    @Override
    public void release(int firstSlot, int count) {
        requireOpen();
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
        requireOpen();
        assertThat(pending).isEmpty();
        closed = true;
        held.close();
    }
}
