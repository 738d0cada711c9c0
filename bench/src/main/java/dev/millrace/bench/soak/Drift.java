// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import java.util.ArrayList;
import java.util.List;

/// Samples of something that should stay as it is, at even intervals, of two kinds that each have a level of their own.
/// Threads: one.
final class Drift {
    private final List<Sample> samples = new ArrayList<>();

    void add(boolean kind, double value) {
        samples.add(new Sample(samples.size(), kind, value));
    }

    /// By which share the two parallel lines that fit the second half of the samples best, one for each kind, rise over
    /// that half.
    double secondHalf() {
        List<Sample> half = samples.subList(samples.size() / 2, samples.size());
        double products = 0;
        double squares = 0;
        for (boolean kind : new boolean[] {false, true}) {
            List<Sample> same =
                    half.stream().filter(sample -> sample.kind == kind).toList();
            double meanAt = same.stream().mapToInt(Sample::at).average().orElse(0);
            double mean = mean(same);
            for (Sample sample : same) {
                products += (sample.at - meanAt) * (sample.value - mean);
                squares += (sample.at - meanAt) * (sample.at - meanAt);
            }
        }
        return squares == 0 ? 0 : products / squares * (half.size() - 1) / mean(half);
    }

    private static double mean(List<Sample> samples) {
        return samples.stream().mapToDouble(Sample::value).average().orElse(0);
    }

    private record Sample(int at, boolean kind, double value) {}
}
