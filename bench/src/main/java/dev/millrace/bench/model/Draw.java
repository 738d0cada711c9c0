// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import java.util.SplittableRandom;

/// Random weights. Stateless.
final class Draw {
    private Draw() {}

    static float[] gaussians(SplittableRandom random, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }
}
