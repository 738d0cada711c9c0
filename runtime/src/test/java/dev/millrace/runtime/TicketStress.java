// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZI_Result;

/// What threads may see of one ticket; run by [JcstressTest].
final class TicketStress {
    private TicketStress() {}

    /// A ticket that counts how often it is settled.
    static class Counted extends Ticket {
        final AtomicInteger settled = new AtomicInteger();

        Counted(int rows) {
            accept(prepare(rows, NO_DEADLINE));
        }

        @Override
        void settle(int generation, dev.millrace.runtime.Outcome outcome) {
            settled.getAndIncrement();
            deliver(generation, outcome);
        }
    }

    @JCStressTest
    @Description("Two threads end a living request: one wins, and it is settled once")
    @Outcome(
            id = {"true, false, 1", "false, true, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "one wins")
    @State
    public static class EndEnd {
        private final Counted ticket = new Counted(1);

        @Actor
        public void cancel(ZZI_Result r) {
            r.r1 = ticket.end(1, dev.millrace.runtime.Outcome.CANCELLED);
        }

        @Actor
        public void expire(ZZI_Result r) {
            r.r2 = ticket.end(1, dev.millrace.runtime.Outcome.EXPIRED);
        }

        @Arbiter
        public void look(ZZI_Result r) {
            r.r3 = ticket.settled.get();
        }
    }
}
