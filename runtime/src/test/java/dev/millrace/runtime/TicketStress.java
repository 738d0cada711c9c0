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
import org.openjdk.jcstress.infra.results.IIZ_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZI_Result;

/// What threads may see of one ticket. Run by [JcstressTest].
final class TicketStress {
    private TicketStress() {}

    /// A ticket with one living request that counts how often it is settled.
    static class Counted extends Ticket {
        final AtomicInteger settled = new AtomicInteger();

        Counted(int rows) {
            this(rows, NO_DEADLINE);
        }

        Counted(int rows, long deadline) {
            accept(prepare(rows, deadline));
        }

        @Override
        void settle(int generation, dev.millrace.runtime.Outcome outcome) {
            settled.getAndIncrement();
            deliver(generation, outcome);
        }

        /// What a thread does that has run one row of the first request.
        boolean answerOne() {
            if (endAnswered(1, 1)) {
                settle(1, dev.millrace.runtime.Outcome.OK);
                return true;
            }
            if (!pin(1)) {
                return false;
            }
            answered(1, 1);
            unpin(1);
            return true;
        }
    }

    @JCStressTest
    @Description("Two threads end a living request: one of them wins, and it is settled once.")
    @Outcome(id = "true, false, 1", expect = Expect.ACCEPTABLE, desc = "the first wins")
    @Outcome(id = "false, true, 1", expect = Expect.ACCEPTABLE, desc = "the second wins")
    @Outcome(expect = Expect.FORBIDDEN, desc = "ended twice, or never")
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

    @JCStressTest
    @Description("One thread answers a request while another expires it: it ends one way, and is settled once.")
    @Outcome(id = "false, 1", expect = Expect.ACCEPTABLE, desc = "answered")
    @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE, desc = "expired")
    @Outcome(expect = Expect.FORBIDDEN, desc = "settled twice, or never")
    @State
    public static class AnswerExpire {
        private final Counted ticket = new Counted(1);

        @Actor
        public void answer() {
            ticket.answerOne();
        }

        @Actor
        public void expire(ZI_Result r) {
            r.r1 = ticket.end(1, dev.millrace.runtime.Outcome.EXPIRED);
        }

        @Arbiter
        public void look(ZI_Result r) {
            boolean expired = ticket.outcome() == dev.millrace.runtime.Outcome.EXPIRED;
            r.r2 = ticket.isDelivered() && expired == r.r1 ? ticket.settled.get() : -1;
        }
    }

    @JCStressTest
    @Description("A request is answered, found overdue and cancelled at once: it ends one way, and is settled once.")
    @Outcome(id = "false, false, 1", expect = Expect.ACCEPTABLE, desc = "answered")
    @Outcome(id = "true, false, 1", expect = Expect.ACCEPTABLE, desc = "expired")
    @Outcome(id = "false, true, 1", expect = Expect.ACCEPTABLE, desc = "cancelled")
    @Outcome(expect = Expect.FORBIDDEN, desc = "ended twice, settled twice, or never")
    @State
    public static class EveryEnd {
        private final Counted ticket = new Counted(1, 10);

        @Actor
        public void answer() {
            ticket.answerOne();
        }

        @Actor
        public void expire(ZZI_Result r) {
            r.r1 = ticket.expire(20);
        }

        @Actor
        public void cancel(ZZI_Result r) {
            r.r2 = ticket.end(1, dev.millrace.runtime.Outcome.CANCELLED);
        }

        @Arbiter
        public void look(ZZI_Result r) {
            dev.millrace.runtime.Outcome expected = r.r1
                    ? dev.millrace.runtime.Outcome.EXPIRED
                    : r.r2 ? dev.millrace.runtime.Outcome.CANCELLED : dev.millrace.runtime.Outcome.OK;
            r.r3 = ticket.isDelivered() && ticket.outcome() == expected ? ticket.settled.get() : -1;
        }
    }

    @JCStressTest
    @Description("Two slices of one request are answered by two threads: the last one ends it, and it is settled once.")
    @Outcome(id = "true, true, 1", expect = Expect.ACCEPTABLE, desc = "both answered, one settled")
    @Outcome(expect = Expect.FORBIDDEN, desc = "settled before both, twice, or never")
    @State
    public static class AnswerAnswer {
        private final Counted ticket = new Counted(2);

        @Actor
        public void first(ZZI_Result r) {
            r.r1 = ticket.answerOne();
        }

        @Actor
        public void second(ZZI_Result r) {
            r.r2 = ticket.answerOne();
        }

        @Arbiter
        public void look(ZZI_Result r) {
            r.r3 = ticket.outcome() == dev.millrace.runtime.Outcome.OK ? ticket.settled.get() : -1;
        }
    }

    @JCStressTest
    @Description("While a thread has a request pinned an end by another is not settled; after its unpin it is, once.")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "not settled under the pin")
    @Outcome(id = "-1, 1", expect = Expect.ACCEPTABLE, desc = "ended before the pin")
    @Outcome(expect = Expect.FORBIDDEN, desc = "settled under the pin, twice, or never")
    @State
    public static class PinEnd {
        private final Counted ticket = new Counted(1);

        @Actor
        public void pin(II_Result r) {
            r.r1 = -1;
            if (ticket.pin(1)) {
                r.r1 = ticket.settled.get();
                ticket.unpin(1);
            }
        }

        @Actor
        public void cancel() {
            ticket.end(1, dev.millrace.runtime.Outcome.CANCELLED);
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = ticket.settled.get();
        }
    }

    @JCStressTest
    @Description("The owner ends a request and opens the next while an old slot is still answered: the next one lives.")
    @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE, desc = "the next request lives")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the old slot touched the next request")
    @State
    public static class Reuse {
        private final Counted ticket = new Counted(1);

        @Actor
        public void owner() {
            ticket.end(1, dev.millrace.runtime.Outcome.CANCELLED);
            while (!ticket.isDelivered()) {
                Thread.onSpinWait();
            }
            ticket.accept(ticket.prepare(1, Ticket.NO_DEADLINE));
        }

        @Actor
        public void oldSlot() {
            ticket.answerOne();
            ticket.end(1, dev.millrace.runtime.Outcome.FAILED);
        }

        @Arbiter
        public void look(ZI_Result r) {
            r.r1 = ticket.isLive(2);
            r.r2 = ticket.settled.get();
        }
    }

    @JCStressTest
    @Description("A waiting owner who sees his request delivered as OK sees the answer that was written before.")
    @Outcome(id = "0, 0, false", expect = Expect.ACCEPTABLE, desc = "not delivered yet")
    @Outcome(id = "1, 42, true", expect = Expect.ACCEPTABLE, desc = "delivered with the answer")
    @Outcome(expect = Expect.FORBIDDEN, desc = "delivered without the answer")
    @State
    public static class Publication {
        private final Counted ticket = new Counted(1);
        private int answer;

        @Actor
        public void turner() {
            if (ticket.pin(1)) {
                answer = 42;
                ticket.answered(1, 1);
                ticket.unpin(1);
            }
        }

        @Actor
        public void owner(IIZ_Result r) {
            if (ticket.isDelivered()) {
                r.r1 = 1;
                r.r2 = answer;
                r.r3 = ticket.outcome() == dev.millrace.runtime.Outcome.OK;
            }
        }
    }

    @JCStressTest
    @Description("A deadline is judged with the request it belongs to: the next, without one, never expires.")
    @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE, desc = "the next request lives")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the next request expired by the old deadline")
    @State
    public static class ExpireReuse {
        private final Counted ticket = new Counted(1);

        public ExpireReuse() {
            ticket.end(1, dev.millrace.runtime.Outcome.OK);
            ticket.accept(ticket.prepare(1, 10));
        }

        @Actor
        public void owner() {
            ticket.end(2, dev.millrace.runtime.Outcome.OK);
            while (!ticket.isDelivered()) {
                Thread.onSpinWait();
            }
            ticket.accept(ticket.prepare(1, Ticket.NO_DEADLINE));
        }

        @Actor
        public void sweeper() {
            ticket.expire(20);
        }

        @Arbiter
        public void look(ZI_Result r) {
            r.r1 = ticket.isLive(3);
            r.r2 = ticket.settled.get() - 1;
        }
    }
}
