// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Spread;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// Lines of a report. Threads: one.
final class Text {
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double SMALL = 100;

    private final StringBuilder text = new StringBuilder();

    Text line(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
        return this;
    }

    /// A table's head.
    Text head(String... titles) {
        line("").line("| %s |", String.join(" | ", titles));
        return line("|%s", "---|".repeat(titles.length));
    }

    /// All lines, without the last one's end.
    String stripped() {
        return text.toString().strip();
    }

    @Override
    public String toString() {
        return text.toString();
    }

    /// As for a fraction of nanoseconds.
    static String micros(long nanos) {
        return micros((double) nanos);
    }

    /// Nanoseconds as microseconds.
    static String micros(double nanos) {
        double micros = nanos / NANOS_PER_MICRO;
        return String.format(Locale.ROOT, micros < SMALL ? "%.1f" : "%,.0f", micros);
    }

    /// Nanoseconds of several measurements as microseconds; a dash if it never happened.
    static <T> String micros(List<T> measurements, ToDoubleFunction<T> nanos) {
        Spread spread = Spread.of(measurements, nanos);
        return spread.max() == 0 ? "–" : Cell.of(spread, Text::micros);
    }

    static <T> double median(List<T> measurements, ToDoubleFunction<T> value) {
        return Spread.of(measurements, value).median();
    }
}
