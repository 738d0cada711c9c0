// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import java.util.EnumMap;
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

    /// Compares with what a lane counted, once nothing moves: the law of conservation, and that its callers were told
    /// what it counted.
    ///
    /// @param alone whether nobody else asked
    void check(LaneStatistics lane, boolean alone) {
        long sum = lane.ended().values().stream().mapToLong(Long::longValue).sum();
        if (lane.accepted() != sum || lane.inFlight() != 0 || lane.queued() != 0) {
            wrong("not conserved: " + lane);
        }
        for (Subject subject : Subject.values()) {
            if (subject.model().equals(lane.model())) {
                compare(told.get(subject), lane, alone);
            }
        }
    }

    private void compare(AtomicLongArray told, LaneStatistics lane, boolean alone) {
        for (Outcome outcome : Outcome.values()) {
            long here = told.get(outcome.ordinal());
            long there = lane.ended().getOrDefault(outcome, 0L) + lane.refused().getOrDefault(outcome, 0L);
            if (alone ? here != there : here > there) {
                wrong(outcome + ": callers were told " + here + " times, the lane counted " + there + ": " + lane);
            }
        }
    }
}
