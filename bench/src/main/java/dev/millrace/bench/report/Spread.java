// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.report;

import java.util.Arrays;
import java.util.Collection;
import java.util.function.ToDoubleFunction;

/// The smallest, the middle and the largest of repeated measurements.
public record Spread(double min, double median, double max) {
    public static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(sorted[0], median, sorted[sorted.length - 1]);
    }

    public static <T> Spread of(Collection<T> measurements, ToDoubleFunction<T> value) {
        return of(measurements.stream().mapToDouble(value).toArray());
    }
}
