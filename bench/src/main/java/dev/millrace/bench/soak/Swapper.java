// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.lifecycle.ModelLoadException.Problem;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.ModelLifecycle;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Who loads models anew and rolls them back while others ask for them. Threads: any, each for one runtime.
final class Swapper {
    private static final long MOST_PAUSE_NANOS = 400_000_000;

    private final Pace pace;
    private final Tally tally;
    private final AtomicLong swaps = new AtomicLong();

    /// @param tally gets what is wrong
    Swapper(Pace pace, Tally tally) {
        this.pace = pace;
        this.tally = tally;
    }

    /// How often a model was replaced.
    long swaps() {
        return swaps.get();
    }

    /// Replaces models until it is over.
    void swap(Millrace runtime, SplittableRandom random) {
        ModelLifecycle lifecycle = runtime.lifecycle();
        while (pace.goesOn()) {
            String model = Subject.draw(random).model();
            try {
                if (random.nextInt(4) == 0) {
                    lifecycle.rollback(model);
                } else {
                    lifecycle.load(model);
                }
                swaps.getAndIncrement();
            } catch (ModelLoadException e) {
                // Nothing was before the first change, and nothing is changed any more while a runtime closes.
                if (e.problem() != Problem.NOT_FOUND && runtime.isOpen()) {
                    tally.wrong("a model could not be replaced: " + e.getMessage());
                }
            }
            LockSupport.parkNanos(random.nextLong(MOST_PAUSE_NANOS));
        }
    }
}
