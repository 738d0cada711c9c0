// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.report;

import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/// Numbers as tables show them: the median of several measurements and, in brackets, the smallest and the largest.
/// Stateless.
public final class Cell {
    private Cell() {}

    /// Measurements as whole numbers.
    public static <T> String whole(List<T> measurements, ToDoubleFunction<T> value) {
        return of(Spread.of(measurements, value), Cell::whole);
    }

    /// Measurements with two decimals.
    public static <T> String decimal(List<T> measurements, ToDoubleFunction<T> value) {
        return of(Spread.of(measurements, value), Cell::decimal);
    }

    /// Measurements that are bytes.
    public static <T> String bytes(List<T> measurements, ToDoubleFunction<T> value) {
        return of(Spread.of(measurements, value), Cell::bytes);
    }

    /// A spread, each of its numbers by `format`.
    public static String of(Spread spread, DoubleFunction<String> format) {
        String median = format.apply(spread.median());
        String min = format.apply(spread.min());
        String max = format.apply(spread.max());
        return min.equals(max) ? median : median + " (" + min + "–" + max + ")";
    }

    /// A whole number.
    public static String whole(double value) {
        return String.format(Locale.ROOT, "%,.0f", value);
    }

    /// A number with two decimals.
    public static String decimal(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /// A number of bytes.
    public static String bytes(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.1f" : "%,.0f", value);
    }
}
