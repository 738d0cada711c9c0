// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZJ_Result;

/// What threads may see of one budget for memory. Run by [JcstressTest].
final class BudgetStress {
    private BudgetStress() {}

    private static boolean reserve(MemoryBudget budget, long bytes) {
        try {
            budget.reserve(MemoryTag.CALL, bytes);
            return true;
        } catch (MemoryExceededException _) {
            return false;
        }
    }

    @JCStressTest
    @Description("Two threads book what fits once: one of them gets it.")
    @Outcome(id = "true, false, 60", expect = Expect.ACCEPTABLE, desc = "the first gets it")
    @Outcome(id = "false, true, 60", expect = Expect.ACCEPTABLE, desc = "the second gets it")
    @Outcome(expect = Expect.FORBIDDEN, desc = "above the limit, or nobody, or not booked")
    @State
    public static class BookBook {
        private final MemoryBudget whole = MemoryBudget.of("all", 100);

        @Actor
        public void first(ZZJ_Result r) {
            r.r1 = reserve(whole, 60);
        }

        @Actor
        public void second(ZZJ_Result r) {
            r.r2 = reserve(whole, 60);
        }

        @Arbiter
        public void end(ZZJ_Result r) {
            r.r3 = whole.used();
        }
    }

    @JCStressTest
    @Description("Two parts of one budget book more than it has together, and release it: nothing is left.")
    @Outcome(id = "true, true, 0", expect = Expect.ACCEPTABLE, desc = "one after the other")
    @Outcome(
            id = {"true, false, 0", "false, true, 0"},
            expect = Expect.ACCEPTABLE,
            desc = "one was refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "both were refused, or something is left")
    @State
    public static class BookReleaseBook {
        private final MemoryBudget whole = MemoryBudget.of("all", 100);
        private final MemoryBudget one = whole.part("one", 80);
        private final MemoryBudget other = whole.part("other", 80);

        @Actor
        public void first(ZZJ_Result r) {
            r.r1 = bookAndRelease(one);
        }

        @Actor
        public void second(ZZJ_Result r) {
            r.r2 = bookAndRelease(other);
        }

        private static boolean bookAndRelease(MemoryBudget part) {
            boolean booked = reserve(part, 60);
            if (booked) {
                part.release(MemoryTag.CALL, 60);
            }
            return booked;
        }

        @Arbiter
        public void end(ZZJ_Result r) {
            r.r3 = whole.used() + one.used() + other.used() + whole.used(MemoryTag.CALL);
        }
    }
}
