// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.Examples;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.LaneProgress;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Turner;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Keeps a model saturated from one thread with a ring of calls, each used again as soon as it is answered. It
/// allocates nothing while it runs, and checks every answer.
///
/// Threads: one; completions come on the runtime's. Ownership: it closes its calls, before the runtime is closed.
final class Pump implements AutoCloseable {
    private static final int SPINS = 1000;
    /// Rows that shared a run with others may differ from the row alone in the last bits.
    private static final double TOLERANCE = 1e-5;

    private final float[][] rows;
    private final float[] expected;
    private final LaneProgress progress;
    private final Turner turner;
    private final Slot[] slots;
    private int nextRow;

    /// @param inFlight calls in flight at most
    /// @param turning whether this thread turns the wheel itself each time all calls are submitted
    /// @param expected the right answer to each row
    Pump(Fixture fixture, Millrace runtime, int inFlight, boolean turning, float[] expected) {
        this.rows = fixture.examples().floats();
        this.expected = expected;
        this.progress = new LaneProgress(runtime, fixture.name());
        this.turner = turning ? runtime.turner() : null;
        this.slots = new Slot[inFlight];
        Model model = runtime.model(fixture.name());
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot(model.call());
        }
    }

    LaneProgress progress() {
        return progress;
    }

    /// Pumps for `nanos` nanoseconds, waits for what is in flight, and returns rows answered per second.
    ///
    /// @throws Gate.Refusal if an answer is wrong or missing
    double run(long nanos) {
        long submitted = 0;
        long start = System.nanoTime();
        do {
            for (Slot slot : slots) {
                collect(slot);
                submit(slot);
            }
            if (turner != null) {
                turner.turn();
            }
            submitted += slots.length;
        } while (System.nanoTime() - start < nanos);
        for (Slot slot : slots) {
            collect(slot);
        }
        return submitted * 1e9 / (System.nanoTime() - start);
    }

    private void submit(Slot slot) {
        slot.row = nextRow;
        slot.done = false;
        nextRow = nextRow + 1 & Examples.COUNT - 1;
        slot.call.input(0).putFloats(rows[slot.row]);
        Outcome admission = turner == null ? slot.call.submit(slot) : turner.submit(slot.call, slot);
        if (admission != Outcome.OK) {
            throw new Gate.Refusal("a row was not accepted: " + slot.call.message(), null);
        }
    }

    /// Waits for a call's answer, if it was submitted, and checks it.
    private void collect(Slot slot) {
        int spins = 0;
        while (!slot.isDone()) {
            if (++spins < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        if (slot.row >= 0) {
            check(slot);
            slot.row = -1;
        }
    }

    private void check(Slot slot) {
        if (slot.outcome != Outcome.OK) {
            throw new Gate.Refusal("a row was not answered: " + slot.call.message(), null);
        }
        float answer = slot.call.output(0).getFloat(0);
        if (Math.abs(answer - expected[slot.row]) > TOLERANCE * Math.max(1, Math.abs(expected[slot.row]))) {
            throw new Gate.Refusal(
                    "row " + slot.row + " was answered with " + answer + ", the floor's is " + expected[slot.row],
                    null);
        }
    }

    @Override
    public void close() {
        for (Slot slot : slots) {
            slot.call.close();
        }
    }

    /// A call and what its completion left: written by the thread that ended it, read by the pump once `done` is seen.
    private static final class Slot implements Completion {
        private static final VarHandle DONE;

        static {
            try {
                DONE = MethodHandles.lookup().findVarHandle(Slot.class, "done", boolean.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final Call call;
        private boolean done = true;
        private Outcome outcome;
        private int row = -1;

        Slot(Call call) {
            this.call = call;
        }

        boolean isDone() {
            return (boolean) DONE.getAcquire(this);
        }

        @Override
        public void completed(Call ended, Outcome how) {
            outcome = how;
            DONE.setRelease(this, true);
        }
    }
}
