// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.LongUnaryOperator;

/// A generator, its lines and a server in a time of their own: the clock jumps from event to event.
final class Simulation {
    private static final long SWEEP = 10_000_000;

    final Tally tally;
    final Generator generator;
    final List<FakeLine> lines = new ArrayList<>();
    final List<Long> sent = new ArrayList<>();
    private final LoadPlan plan;
    private final LongUnaryOperator server;
    private final PriorityQueue<FakeLine> answers = new PriorityQueue<>(Comparator.comparingLong(line -> line.answer));
    private long now = 1_000_000_000_000L;
    private long pumpDelay;
    private int status = 200;
    private boolean stays = true;
    private int reopened;

    /// A line whose request is answered at a time that is known when it is sent.
    final class FakeLine extends Line {
        private long answer;

        @Override
        void transmit() {
            sent.add(now);
            answer = server.applyAsLong(now - start()) + start();
            if (answer < Long.MAX_VALUE / 2) {
                answers.add(this);
            }
        }

        @Override
        void reopen() {
            reopened++;
            generator.opened(this);
        }
    }

    /// @param server when it answers what is sent at a time, both from the start; `MAX_VALUE / 2` for never
    Simulation(LoadPlan plan, LongUnaryOperator server) {
        this.plan = plan;
        this.server = server;
        this.tally = new Tally(plan, 0);
        this.generator = new Generator(plan, tally, () -> now);
        for (int i = 0; i < plan.connections(); i++) {
            lines.add(new FakeLine());
            generator.opened(lines.getLast());
        }
    }

    private static long start() {
        return 1_000_000_000_000L;
    }

    /// The generator gets to what is due only so much later.
    Simulation pumpedLate(long nanos) {
        pumpDelay = nanos;
        return this;
    }

    /// Every answer is like this.
    Simulation answering(int code, boolean keepsOpen) {
        status = code;
        stays = keepsOpen;
        return this;
    }

    int reopened() {
        return reopened;
    }

    LoadResult run() {
        generator.start();
        long sweep = now + SWEEP;
        while (!generator.isDone()) {
            long due = generator.pump();
            long pump = due == Generator.NEVER ? Long.MAX_VALUE : due + pumpDelay;
            long answer = answers.isEmpty() ? Long.MAX_VALUE : answers.peek().answer;
            now = Math.max(now, Math.min(Math.min(pump, answer), sweep));
            if (now == answer) {
                FakeLine line = answers.poll();
                generator.answered(line, status, stays);
            } else if (now == sweep) {
                answers.removeIf(line -> now - line.due() >= plan.timeoutNanos());
                generator.sweep();
                sweep += SWEEP;
            }
        }
        return new LoadResult(plan, tally, tally.interval(), List.of(), false);
    }
}
