// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.ensemble.StepCall;
import dev.millrace.model.Signature;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/// That a lane which takes requests again loses none of those that came while it did not, and that a request finds a
/// version while at every moment one is live. Run by [JcstressTest].
final class ReopenStress {
    private ReopenStress() {}

    @JCStressTest
    @Description("A lane is closed and opened again while a caller commits: what was accepted is answered.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "accepted and answered")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "refused while it was closed")
    @Outcome(expect = Expect.FORBIDDEN, desc = "accepted and not answered, or refused and answered, or a slot is lost")
    @State
    public static class CommitAndReopen extends LaneStress.Lanes {
        private final Call one = call();

        public CommitAndReopen() {
            super(1);
        }

        @Actor
        public void committer(ZZ_Result r) {
            r.r1 = one.open(null) == dev.millrace.runtime.Outcome.OK;
        }

        @Actor
        public void changer() {
            lane.refuse();
            lane.admit();
        }

        @Arbiter
        public void look(ZZ_Result r) {
            lane.turn(null, Long.MAX_VALUE, 100);
            dev.millrace.runtime.Outcome expected =
                    r.r1 ? dev.millrace.runtime.Outcome.OK : dev.millrace.runtime.Outcome.UNAVAILABLE;
            r.r2 = one.isDelivered() && one.outcome() == expected && lane.isOpen() && lane.isDrained();
        }
    }

    /// Two versions of a model, the first of which is live and the other kept.
    static class Versions {
        final LoadedVersion first = version();
        final LoadedVersion second = version();
        private volatile LoadedVersion live = first;

        Versions() {
            second.retire();
        }

        private static LoadedVersion version() {
            Lane lane = new LaneStress.Lanes(1).lane;
            return new LoadedVersion(null, () -> {}, null, null, lane, List.of(), RuntimeConfig.DEFAULT);
        }

        LoadedVersion live() {
            return live;
        }

        /// In the order in which a lifecycle does it.
        void swap(LoadedVersion to) {
            LoadedVersion from = live;
            to.resume();
            live = to;
            from.retire();
        }

        /// Whether nothing waits or runs, after all that waited was run.
        boolean isDrained() {
            for (LoadedVersion version : List.of(first, second)) {
                version.lane().turn(null, Long.MAX_VALUE, 100);
            }
            return first.lane().isDrained() && second.lane().isDrained();
        }
    }

    @JCStressTest
    @Description("A model is rolled back and forth while a caller asks: one version is always live, so it is told.")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "accepted and answered")
    @Outcome(expect = Expect.FORBIDDEN, desc = "refused though a version was live, or not answered")
    @State
    public static class AskAndRollBack extends Versions {
        private final Call one = first.newCall().follow(this::live);

        @Actor
        public void caller(ZZ_Result r) {
            r.r1 = one.open(null) == dev.millrace.runtime.Outcome.OK;
        }

        @Actor
        public void changer() {
            swap(second);
            swap(first);
        }

        @Arbiter
        public void look(ZZ_Result r) {
            r.r2 = isDrained() && one.isDelivered() && one.outcome() == dev.millrace.runtime.Outcome.OK;
        }
    }

    @JCStressTest
    @Description("The model of an ensemble's step is rolled back and forth while that is submitted: it is answered.")
    @Outcome(id = "1, true", expect = Expect.ACCEPTABLE, desc = "submitted, and told once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "failed though a version was live, or told never or twice")
    @State
    public static class StepAndRollBack extends Versions {
        private final EnsembleLane.Step step =
                new EnsembleLane.Step("step", "stress", new Signature(List.of(), List.of()), this::live);
        private final AtomicInteger told = new AtomicInteger();
        private StepCall call = step.call(null);
        private RuntimeException failure;

        @Actor
        public void submitter() {
            try {
                while (!call.submit(Call.NO_TIMEOUT, 0, this::ended)) {
                    call = step.call(call);
                }
            } catch (RuntimeException e) {
                failure = e;
            }
        }

        private void ended(RuntimeException problem) {
            told.getAndIncrement();
            failure = problem;
        }

        @Actor
        public void changer() {
            swap(second);
            swap(first);
        }

        @Arbiter
        public void look(IZ_Result r) {
            r.r2 = isDrained() && failure == null;
            r.r1 = told.get();
        }
    }
}
