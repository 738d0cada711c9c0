// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;
import dev.millrace.ort.OnnxSession;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/// Slots that hold one request's own tensors each: for models whose requests cannot share a run.
///
/// The tensors move with the request: from the call into the slot, and back into the call when it is answered. A
/// request that ended before leaves its tensors behind, because a run may still read them. When the slot is freed their
/// memory is kept for calls that need tensors: freeing shared memory stops every thread for a moment, which a lane
/// full of expired requests cannot afford. What is kept is bounded: a few huge requests must not hold memory for good.
public final class TensorBackend implements Backend {
    private static final long MAX_SPARE_BYTES = 16L << 20;

    private final Supplier<TensorSet> fresh;
    private final TensorEngine engine;
    private final TensorSet[] slots;
    private final ArrayBlockingQueue<TensorSet> spares;
    private final AtomicLong spareBytes = new AtomicLong();

    /// @param capacity slots
    /// @param instances runs at the same time
    /// @param fresh makes tensors for a request
    public TensorBackend(OnnxSession session, int capacity, int instances, Supplier<TensorSet> fresh) {
        this(new SessionEngine(session, instances), capacity, fresh);
    }

    /// @param engine answers the requests; it belongs to this
    /// @param capacity slots
    /// @param fresh makes tensors for a request
    public TensorBackend(TensorEngine engine, int capacity, Supplier<TensorSet> fresh) {
        this.engine = engine;
        this.fresh = fresh;
        slots = new TensorSet[capacity];
        spares = new ArrayBlockingQueue<>(capacity);
    }

    @Override
    @Hot
    public TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count) {
        slots[firstSlot] = tensors;
        return null;
    }

    @Override
    @Hot
    public boolean start(int instance, int firstSlot, int count) {
        return engine.start(instance, slots[firstSlot]);
    }

    @Override
    @Hot
    public TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count) {
        if (tensors != null) {
            tensors.close();
        }
        TensorSet answered = slots[firstSlot];
        slots[firstSlot] = null;
        return answered;
    }

    @Override
    @Hot
    public void release(int firstSlot, int count) {
        for (int slot = firstSlot; slot < firstSlot + count; slot++) {
            TensorSet tensors = slots[slot];
            if (tensors != null) {
                slots[slot] = null;
                keep(tensors);
            }
        }
    }

    private void keep(TensorSet abandoned) {
        TensorSet set = abandoned.moved();
        long bytes = set.heldBytes();
        boolean kept = spareBytes.addAndGet(bytes) <= MAX_SPARE_BYTES && !set.isTight() && spares.offer(set);
        if (!kept) {
            spareBytes.addAndGet(-bytes);
            set.close();
        }
    }

    @Override
    public TensorSet spare() {
        TensorSet set = spares.poll();
        if (set == null) {
            return fresh.get();
        }
        spareBytes.addAndGet(-set.heldBytes());
        return set;
    }

    @Override
    public long running(int instance) {
        return engine.running(instance);
    }

    @Override
    public boolean terminate(int instance, long run) {
        return engine.terminate(instance, run);
    }

    @Override
    public void close() {
        engine.close();
        release(0, slots.length);
        for (TensorSet set = spares.poll(); set != null; set = spares.poll()) {
            set.close();
        }
    }
}
