// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;
import java.util.Arrays;
import java.util.function.LongSupplier;

/// Turns the wheel on behalf of an event loop or a caller. The loop submits everything that a wake-up brought, then
/// turns once, so that what arrived together is one batch and no thread hop lies between.
///
/// Threads: one, the event loop's; callers that turn for themselves have none.
public final class Turner {
    /// Looks at the wheel before parking: about as long as a light batch takes.
    private static final int LOOKS = 100;

    private final long budgetNanos;
    private Lane[] touched = new Lane[8];
    private int count;
    private boolean turning;

    Turner(long budgetNanos) {
        this.budgetNanos = budgetNanos;
    }

    /// Turns the wheel for a caller until its own answer is there, but not for long: then agents go on.
    @Hot
    static void turnFor(Call call, long budgetNanos) {
        Lane lane = call.lane();
        lane.turn(call, budgetNanos, LOOKS);
        if (call.isDelivered()) {
            lane.handOver();
            return;
        }
        lane.attend();
        for (int look = 0; look < LOOKS && !call.isDelivered(); look++) {
            Thread.onSpinWait();
            lane.turn(call, budgetNanos, LOOKS);
        }
        lane.leave();
    }

    /// Submits a call like [Call#submit(Completion)], but leaves the running to the next [#turn()].
    ///
    /// @return [Outcome#OK] if it was accepted; otherwise why not, and `whenDone` is not told
    @Hot
    public Outcome submit(Call call, Completion whenDone) {
        Outcome admission = call.open(whenDone);
        if (admission == Outcome.OK) {
            touch(call.lane());
        }
        return admission;
    }

    @Hot
    private void touch(Lane lane) {
        for (int i = 0; i < count; i++) {
            if (touched[i] == lane) {
                return;
            }
        }
        if (count == touched.length) {
            grow();
        }
        touched[count++] = lane;
    }

    private void grow() {
        touched = Arrays.copyOf(touched, 2 * count);
    }

    /// Whether something was submitted since the last turn.
    @Hot
    public boolean isPending() {
        return count > 0;
    }

    /// Runs what was submitted, as far as one budget for all goes, and hands the rest to agents. What completions
    /// submit meanwhile belongs to it; a completion that turns itself changes nothing.
    @Hot
    public void turn() {
        if (count == 0 || turning) {
            return;
        }
        turning = true;
        LongSupplier clock = touched[0].clock();
        long end = clock.getAsLong() + budgetNanos;
        for (int i = 0; i < count; i++) {
            Lane lane = touched[i];
            touched[i] = null;
            long left = end - clock.getAsLong();
            while (lane.isLight(left) && lane.turn(null, left, 1) > 0) {
                left = end - clock.getAsLong();
            }
            lane.handOver();
        }
        count = 0;
        turning = false;
    }
}
