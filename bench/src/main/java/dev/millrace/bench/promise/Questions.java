// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Value;
import java.util.List;

/// What a model is asked, in turns, and the first number of each right answer. Threads: any.
public final class Questions {
    private final float[][] rows;
    private final float[] expected;
    private final double tolerance;

    public Questions(Fixture fixture) {
        rows = fixture.examples().floats();
        tolerance = fixture.tolerance();
        List<List<Value>> answers = fixture.gate().expected();
        expected = new float[rows.length];
        for (int row = 0; row < rows.length; row++) {
            expected[row] = ((float[]) answers.get(row).getFirst().array())[0];
        }
    }

    /// How many there are.
    public int count() {
        return rows.length;
    }

    /// What `request` asks.
    public float[] row(int request) {
        return rows[request % rows.length];
    }

    /// Whether `request` was answered like the floor did, but for the last bits.
    public boolean isRight(int request, float answer) {
        float right = expected[request % expected.length];
        return Math.abs(answer - right) <= tolerance * Math.max(1, Math.abs(right));
    }
}
