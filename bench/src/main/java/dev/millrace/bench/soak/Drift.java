// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import java.util.Arrays;

/// Samples of something that should stay as it is, at even intervals. Threads: one.
final class Drift {
    private double[] samples = new double[1024];
    private int count;

    void add(double sample) {
        if (count == samples.length) {
            samples = Arrays.copyOf(samples, 2 * count);
        }
        samples[count++] = sample;
    }

    /// The last one.
    double last() {
        return count == 0 ? 0 : samples[count - 1];
    }

    /// By which share the line that fits the second half of the samples best rises over that half.
    double secondHalf() {
        int from = count / 2;
        int size = count - from;
        if (size < 2) {
            return 0;
        }
        double meanX = (size - 1) / 2.0;
        double meanY = Arrays.stream(samples, from, count).average().orElseThrow();
        double products = 0;
        double squares = 0;
        for (int x = 0; x < size; x++) {
            products += (x - meanX) * (samples[from + x] - meanY);
            squares += (x - meanX) * (x - meanX);
        }
        return products / squares * (size - 1) / meanY;
    }
}
