// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.backend.Backend;
import dev.millrace.memory.Hot;
import dev.millrace.plan.LaneSpec;
import dev.millrace.policy.CostModel;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// The rows that wait in a lane, by priority.
final class Levels {
    /// By priority, the highest first.
    private final Level[] levels;
    /// Whether rows may be held back for company.
    private final boolean patient;

    /// @param policies makes what decides for a level when rows that wait may go; it gives null if they go as soon as
    ///     somebody can run them
    Levels(LaneSpec spec, Supplier<BatchPolicy> policies, Backend backend, CostModel cost, LongSupplier clock) {
        levels = new Level[spec.levels()];
        int firstSlot = 0;
        for (int i = 0; i < levels.length; i++) {
            Ring ring = new Ring(firstSlot, spec.capacity(i), spec.instances());
            firstSlot += spec.capacity(i);
            BatchPolicy policy = policies.get();
            if (policy != null) {
                policy.attach(ring, cost);
            }
            levels[i] = new Level(ring, backend, spec.maxBatch(), policy, cost, clock);
        }
        patient = levels[0].mayHoldBack();
    }

    @Hot
    int count() {
        return levels.length;
    }

    /// @param priority 0 for the highest
    @Hot
    Level get(int priority) {
        return levels[priority];
    }

    @Hot
    boolean isPatient() {
        return patient;
    }

    /// Rows that wait.
    @Hot
    int queued() {
        return queued(levels.length - 1);
    }

    /// Rows that wait with a priority or a higher one.
    @Hot
    int queued(int priority) {
        int rows = 0;
        for (int i = 0; i <= priority; i++) {
            rows += levels[i].ring().queued();
        }
        return rows;
    }

    /// Whether something waits that may go.
    ///
    /// @param closed whether nothing waits for company any more
    @Hot
    boolean isReady(boolean closed) {
        for (Level level : levels) {
            if (level.isReady(closed)) {
                return true;
            }
        }
        return false;
    }

    /// As [BatchPolicy#arm()].
    @Hot
    boolean arm() {
        boolean armed = false;
        for (Level level : levels) {
            armed |= level.arm();
        }
        return armed;
    }

    /// As [BatchPolicy#watch()].
    long watch() {
        long first = BatchPolicy.NEVER;
        for (Level level : levels) {
            first = BatchPolicy.earlier(first, level.watch());
        }
        return first;
    }

    /// As [BatchPolicy#unwatch()].
    void unwatch() {
        for (Level level : levels) {
            level.unwatch();
        }
    }

    /// Whether rows wait for company.
    boolean isWaiting() {
        for (Level level : levels) {
            if (level.isWaiting()) {
                return true;
            }
        }
        return false;
    }

    /// A slice of a priority was taken. Under the token.
    @Hot
    void taken(int priority) {
        for (int lower = priority + 1; lower < levels.length; lower++) {
            levels[lower].passOver();
        }
    }

    /// Expires every overdue request that has slots.
    void expire(long nowNanos) {
        for (Level level : levels) {
            level.ring().expire(nowNanos);
        }
    }

    /// Waits for those who have claimed slots and are about to publish them.
    void awaitPublished() {
        for (Level level : levels) {
            while (!level.ring().isAllPublished()) {
                Thread.onSpinWait();
            }
        }
    }

    /// Ends every request that still has a slot.
    void endAll(Outcome outcome) {
        for (Level level : levels) {
            level.ring().endAll(outcome);
        }
    }
}
