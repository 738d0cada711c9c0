// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import java.util.Arrays;
import java.util.SplittableRandom;

/// The rows that every contestant answers, the same ones in every run. Immutable but for its arrays, which nobody
/// changes.
final class Rows {
    /// How many there are: more than one so that no answer can be a leftover, few enough to stay in the caches.
    static final int COUNT = 256;

    private static final long SEED = 20_261_122L;

    private final int width;
    private final float[] values;

    Rows(int width) {
        this.width = width;
        this.values = new float[COUNT * width];
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
    }

    /// How many whole batches of `batch` rows there are.
    static int batches(int batch) {
        return COUNT / batch;
    }

    /// The batches as flat arrays, as one would hand them to a buffer.
    float[][] flat(int batch) {
        float[][] all = new float[batches(batch)][];
        for (int i = 0; i < all.length; i++) {
            all[i] = Arrays.copyOfRange(values, i * batch * width, (i + 1) * batch * width);
        }
        return all;
    }

    /// The batches as arrays of rows.
    float[][][] nested(int batch) {
        float[][][] all = new float[batches(batch)][batch][];
        for (int i = 0; i < all.length; i++) {
            for (int row = 0; row < batch; row++) {
                int from = (i * batch + row) * width;
                all[i][row] = Arrays.copyOfRange(values, from, from + width);
            }
        }
        return all;
    }
}
