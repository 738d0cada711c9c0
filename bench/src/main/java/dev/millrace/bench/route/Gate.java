// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Lets only those be timed who answer like the floor.
///
/// For the same batches run in one piece every bit must be the same. Where a batch was split, and against rows that
/// the floor answered one by one if the model's rows are independent, the last bits may differ, because kernels may sum
/// in another order: by the tolerance relative to the largest value of the row's output, or to one where that is
/// smaller.
///
/// Threads: one.
public final class Gate {
    private final Fixture fixture;
    private final double tolerance;
    /// What the floor answers to each row alone; null until it was asked.
    private List<List<Value>> alone;

    Gate(Fixture fixture) {
        this.fixture = fixture;
        this.tolerance = fixture.tolerance();
    }

    /// For contestants that need no model.
    ///
    /// @param alone what the floor answers to each row alone; null if rows are not independent
    Gate(List<List<Value>> alone, double tolerance) {
        this.fixture = null;
        this.alone = alone;
        this.tolerance = tolerance;
    }

    /// Lets a route answer all rows in batches of `batch`.
    ///
    /// @throws Refusal if it answers otherwise than the floor, or not at all
    /// @throws Unavailable if it cannot ask this model
    public void check(Route route, int batch) {
        try (Contestant contestant = fixture.contestant(route, batch)) {
            check(route.title(), contestant, batch);
        }
    }

    /// Lets `contestant` answer all rows in batches of `batch`.
    ///
    /// @param name what a refusal calls it
    /// @throws Refusal if it answers otherwise than the floor, or not at all
    public void check(String name, Contestant contestant, int batch) {
        try (Contestant floor = fixture.contestant(Route.FLOOR, batch)) {
            check(name, contestant, floor, batch, fixture.examples().count(batch));
        }
    }

    /// What the floor answers to each row alone.
    public List<List<Value>> expected() {
        if (alone == null && fixture.hasRows()) {
            alone = new ArrayList<>();
            try (Contestant floor = fixture.contestant(Route.FLOOR, 1)) {
                for (int row = 0; row < fixture.examples().count(1); row++) {
                    floor.run(row);
                    alone.add(floor.answers());
                }
            }
        }
        return alone;
    }

    void check(String name, Contestant contestant, Contestant floor, int batch, int count) {
        String who = name + ", batch " + batch;
        List<List<Value>> rows = fixture == null ? alone : expected();
        for (int index = 0; index < count; index++) {
            List<Value> answers = answers(who, contestant, index);
            floor.run(index);
            List<Value> expected = floor.answers();
            if (answers.size() != expected.size()) {
                throw new Refusal(who + " gave " + answers.size() + " outputs, the floor " + expected.size(), null);
            }
            boolean whole = contestant.ranWhole();
            for (int output = 0; output < answers.size(); output++) {
                compare(who, index * batch, answers.get(output), expected.get(output), whole, batch);
                for (int row = 0; rows != null && row < batch && index * batch + row < rows.size(); row++) {
                    String where = who + ": row " + (index * batch + row);
                    compareRow(
                            where,
                            answers.get(output),
                            row,
                            rows.get(index * batch + row).get(output));
                }
            }
        }
    }

    private static List<Value> answers(String who, Contestant contestant, int index) {
        try {
            contestant.run(index);
            return contestant.answers();
        } catch (RuntimeException e) {
            throw new Refusal(who + " did not answer: " + (e.getMessage() == null ? e : e.getMessage()), e);
        }
    }

    /// Compares all that a batch was answered, whose first row is row `first`.
    private void compare(String who, int first, Value answer, Value expected, boolean whole, int batch) {
        if (!Arrays.equals(answer.shape(), expected.shape())) {
            throw new Refusal(
                    who + ": output '" + expected.name() + "' has shape " + Arrays.toString(answer.shape())
                            + ", the floor's is " + Arrays.toString(expected.shape()),
                    null);
        }
        int size = Math.max(1, expected.count() / batch);
        for (int i = 0; i < expected.count(); i++) {
            if (whole && !answer.same(i, expected, i)) {
                throw refusal(
                        who + ": row " + (first + i / size), answer, i, expected, i, "the same bits in the same batch");
            }
            if (!whole && !isClose(answer, i, expected, i, scale(expected, i - i % size, size))) {
                throw refusal(
                        who + ": row " + (first + i / size),
                        answer,
                        i,
                        expected,
                        i,
                        "at most " + tolerance + " from the whole batch");
            }
        }
    }

    private void compareRow(String where, Value answer, int row, Value alone) {
        int from = row * alone.count();
        double scale = scale(alone, 0, alone.count());
        for (int i = 0; i < alone.count(); i++) {
            if (!isClose(answer, from + i, alone, i, scale)) {
                throw refusal(where, answer, from + i, alone, i, "at most " + tolerance + " from the row alone");
            }
        }
    }

    private static double scale(Value value, int from, int count) {
        double scale = 1;
        for (int i = from; i < Math.min(from + count, value.count()); i++) {
            double real = Math.abs(value.real(i));
            scale = Double.isFinite(real) ? Math.max(scale, real) : scale;
        }
        return scale;
    }

    private boolean isClose(Value answer, int index, Value expected, int expectedIndex, double scale) {
        if (answer.same(index, expected, expectedIndex)) {
            return true;
        }
        double allowed = switch (expected.datatype()) {
            case FP16, BF16 -> 1e-2;
            case FP32, FP64 -> tolerance;
            default -> -1;
        };
        return Math.abs(answer.real(index) - expected.real(expectedIndex)) <= allowed * scale;
    }

    private static Refusal refusal(
            String where, Value answer, int index, Value expected, int expectedIndex, String rule) {
        return new Refusal(
                where + ", value " + expectedIndex + " of output '" + expected.name() + "' is " + answer.show(index)
                        + ", the floor's is " + expected.show(expectedIndex) + "; expected " + rule,
                null);
    }

    /// Somebody answers wrongly; nothing will be timed.
    public static final class Refusal extends RuntimeException {
        /// @param message who, and what is wrong
        /// @param cause why, if that is known
        public Refusal(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
