// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import dev.millrace.runtime.Call;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// Traces on their way from those who answer requests to who writes files. Full, it takes no more: nobody waits.
///
/// A slot's turn is the place that may be filled in it next, and one more when it is filled. Threads: any may add; one
/// at a time takes.
final class TraceRing {
    private final Trace[] slots;
    private final AtomicLongArray turns;
    private final AtomicLong tail = new AtomicLong();
    private long head;

    /// @param capacity how many it holds, a power of two
    TraceRing(int capacity) {
        slots = new Trace[capacity];
        turns = new AtomicLongArray(capacity);
        for (int i = 0; i < capacity; i++) {
            slots[i] = new Trace();
            turns.set(i, i);
        }
    }

    /// Adds a trace; false if there is no room.
    boolean add(Sampling sampling, FrontEnd frontEnd, Call call, String id, TracedTensors tensors, long endNanos) {
        while (true) {
            long place = tail.get();
            int index = (int) (place & (slots.length - 1));
            long turn = turns.get(index);
            if (turn < place) {
                return false;
            }
            if (turn == place && tail.compareAndSet(place, place + 1)) {
                slots[index].fill(sampling, frontEnd, call, id, tensors, endNanos);
                turns.set(index, place + 1);
                return true;
            }
        }
    }

    /// The oldest trace, or null. It is there until [#remove()].
    Trace peek() {
        int index = (int) (head & (slots.length - 1));
        return turns.get(index) == head + 1 ? slots[index] : null;
    }

    /// Gives the oldest trace's slot back.
    void remove() {
        int index = (int) (head & (slots.length - 1));
        slots[index].clear();
        turns.set(index, head + slots.length);
        head++;
    }
}
