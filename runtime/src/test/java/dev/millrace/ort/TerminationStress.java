// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZIZ_Result;

/// That who terminates a run hits that run or none. It is here because jcstress is. Run by `JcstressTest`.
final class TerminationStress {
    private TerminationStress() {}

    @JCStressTest
    @Description("A run is terminated while it ends and the next begins: it knows of it, or nothing was done.")
    @Outcome(id = "true, 42, false", expect = Expect.ACCEPTABLE, desc = "terminated, and seen by the run that was")
    @Outcome(id = "false, 0, false", expect = Expect.ACCEPTABLE, desc = "it had ended before")
    @Outcome(expect = Expect.FORBIDDEN, desc = "done and not seen, seen and not done, or the next run was hit")
    @State
    public static class EndAndTerminate {
        private final Termination termination = new Termination();
        private final long number;
        private int done;
        private boolean wasTerminated;
        private int seen;

        public EndAndTerminate() {
            termination.begin();
            number = termination.running();
        }

        @Actor
        public void runner() {
            wasTerminated = termination.end();
            seen = done;
            termination.begin();
        }

        @Actor
        public void terminator(ZIZ_Result r) {
            r.r1 = termination.terminate(number, () -> done = 42);
        }

        @Arbiter
        public void look(ZIZ_Result r) {
            r.r2 = wasTerminated == r.r1 ? seen : -1;
            r.r3 = termination.end();
        }
    }
}
