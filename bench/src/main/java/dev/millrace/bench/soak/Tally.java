// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.LaneStatistics.Totals;
import dev.millrace.runtime.Outcome;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;

/// What clients were told, and the first thing that was wrong. Threads: any.
final class Tally {
    private static final int STATUSES = 600;

    private final Map<Subject, AtomicLongArray> told = counts();
    private final AtomicLongArray answers = new AtomicLongArray(STATUSES);
    private final AtomicLongArray cut = new AtomicLongArray(1);
    private final AtomicReference<String> problem;

    /// @param problem gets the first thing that is wrong
    Tally(AtomicReference<String> problem) {
        this.problem = problem;
    }

    private static Map<Subject, AtomicLongArray> counts() {
        Map<Subject, AtomicLongArray> counts = new EnumMap<>(Subject.class);
        for (Subject subject : Subject.values()) {
            counts.put(subject, new AtomicLongArray(Outcome.values().length));
        }
        return counts;
    }

    /// A library caller was told that its request was refused, or how it ended.
    void told(Subject subject, Outcome outcome) {
        told.get(subject).getAndIncrement(outcome.ordinal());
    }

    void answered(int status) {
        answers.getAndIncrement(status);
    }

    /// A connection ended before its answers came.
    void cut() {
        cut.getAndIncrement(0);
    }

    void wrong(String what) {
        if (problem.compareAndSet(null, what)) {
            System.err.println("WRONG: " + what);
        }
    }

    boolean isRight() {
        return problem.get() == null;
    }

    /// How often library callers were told so.
    long told(Outcome outcome) {
        return told.values().stream()
                .mapToLong(each -> each.get(outcome.ordinal()))
                .sum();
    }

    /// HTTP answers with a status from `from` on and below `to`.
    long answers(int from, int to) {
        long sum = 0;
        for (int status = from; status < to; status++) {
            sum += answers.get(status);
        }
        return sum;
    }

    long cuts() {
        return cut.get(0);
    }

    void add(Tally other) {
        for (Subject subject : Subject.values()) {
            add(told.get(subject), other.told.get(subject));
        }
        add(answers, other.answers);
        add(cut, other.cut);
    }

    private static void add(AtomicLongArray sum, AtomicLongArray more) {
        for (int i = 0; i < sum.length(); i++) {
            sum.addAndGet(i, more.get(i));
        }
    }

    /// The law of conservation for a lane, once nothing moves.
    void check(LaneStatistics lane) {
        long sum = lane.ended().values().stream().mapToLong(Long::longValue).sum();
        if (lane.accepted() != sum || lane.inFlight() != 0 || lane.queued() != 0) {
            wrong("not conserved: " + lane);
        }
    }

    /// The same for all lanes that a model has had, and that callers were told what these have counted since then.
    ///
    /// @param before what models had counted when these callers began
    /// @param alone whether nobody else asked
    void check(Totals model, List<Totals> before, boolean alone) {
        if (model.inFlight() != 0) {
            wrong("not conserved: " + model);
        }
        for (Subject subject : Subject.values()) {
            if (subject.model().equals(model.model())) {
                compare(told.get(subject), model, before, alone);
            }
        }
    }

    private void compare(AtomicLongArray told, Totals model, List<Totals> before, boolean alone) {
        for (Outcome outcome : Outcome.values()) {
            long here = told.get(outcome.ordinal());
            long there = counted(model, outcome)
                    - before.stream()
                            .filter(other -> other.model().equals(model.model()))
                            .mapToLong(other -> counted(other, outcome))
                            .sum();
            if (alone ? here != there : here > there) {
                wrong(outcome + ": callers were told " + here + " times, the model's lanes counted " + there + ": "
                        + model);
            }
        }
    }

    private static long counted(Totals model, Outcome outcome) {
        return model.ended().getOrDefault(outcome, 0L) + model.refused().getOrDefault(outcome, 0L);
    }
}
