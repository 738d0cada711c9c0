// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;

/// The sum of what several owners count, those among them that are gone.
///
/// An owner that does nothing any more may still count: whoever holds it may be refused by it. So its counts are read
/// as long as somebody can reach it; only then, when nobody can count any more, are they added up for good, and what it
/// counted with is let go.
///
/// Threads: any.
///
/// @param <S> a snapshot of counts
public final class LastingCounts<S> {
    private final BinaryOperator<S> sum;
    private final ReferenceQueue<Object> unreachable = new ReferenceQueue<>();
    private final Map<Reference<?>, Supplier<S>> owners = new HashMap<>();
    /// Of owners that are gone.
    private S gone;

    /// @param none the sum of nothing
    /// @param sum adds snapshots
    public LastingCounts(S none, BinaryOperator<S> sum) {
        this.gone = none;
        this.sum = sum;
    }

    /// From now on what an owner has counted is part of the sum.
    ///
    /// @param counts what it has counted, at any time; must not refer to the owner
    public synchronized void add(Object owner, Supplier<S> counts) {
        settle();
        owners.put(new PhantomReference<>(owner, unreachable), counts);
    }

    /// What all have counted so far.
    public synchronized S total() {
        settle();
        S all = gone;
        for (Supplier<S> counts : owners.values()) {
            all = sum.apply(all, counts.get());
        }
        return all;
    }

    /// How many may still count.
    synchronized int owners() {
        settle();
        return owners.size();
    }

    private void settle() {
        for (Reference<?> end = unreachable.poll(); end != null; end = unreachable.poll()) {
            gone = sum.apply(gone, owners.remove(end).get());
        }
    }
}
