// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

/// Lets only those be timed who answer like the floor.
///
/// For the same batches run in one piece every bit must be the same. Against rows that the floor answered one by one,
/// and where a batch was split, the last bits may differ, because kernels may sum in another order:
/// [#TOLERANCE] relative to the answer, or to one where the answer is smaller.
///
/// Threads: one.
final class Gate {
    static final double TOLERANCE = 1e-5;

    private final int width;
    private final float[] alone;

    /// @param width values per row of the answer
    /// @param floor the floor for single rows
    Gate(int width, Contestant floor) {
        this.width = width;
        this.alone = answers(floor, 1);
    }

    /// What the floor answers to each row alone, in order.
    float[] expected() {
        return alone.clone();
    }

    /// Lets `contestant` answer all rows in batches of `batch`.
    ///
    /// @param name what a refusal calls it
    /// @param floor the floor for batches of this size
    /// @throws Refusal if it answers otherwise than the floor, or not at all
    void check(String name, Contestant contestant, Contestant floor, int batch) {
        String who = name + ", batch " + batch;
        float[] answers;
        try {
            answers = answers(contestant, batch);
        } catch (RuntimeException e) {
            throw new Refusal(who + " did not answer: " + e, e);
        }
        float[] together = answers(floor, batch);
        boolean whole = contestant.ranWhole();
        for (int i = 0; i < answers.length; i++) {
            if (whole && Float.floatToIntBits(answers[i]) != Float.floatToIntBits(together[i])) {
                throw refusal(who, i, answers[i], together[i], "the same bits in the same batch");
            }
            if (!isClose(answers[i], alone[i])) {
                throw refusal(who, i, answers[i], alone[i], "at most " + TOLERANCE + " from the row alone");
            }
        }
    }

    static boolean isClose(float answer, float expected) {
        return Math.abs(answer - expected) <= TOLERANCE * Math.max(1, Math.abs(expected));
    }

    private float[] answers(Contestant contestant, int batch) {
        float[] all = new float[Rows.COUNT * width];
        for (int index = 0; index < Rows.batches(batch); index++) {
            contestant.run(index);
            for (int element = 0; element < batch * width; element++) {
                all[index * batch * width + element] = contestant.answer(element);
            }
        }
        return all;
    }

    private Refusal refusal(String who, int element, float answer, float expected, String rule) {
        return new Refusal(
                who + ": row " + element / width + ", value " + element % width + " is " + answer + ", the floor's is "
                        + expected + "; expected " + rule,
                null);
    }

    /// Somebody answers wrongly; nothing will be timed.
    static final class Refusal extends RuntimeException {
        Refusal(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
