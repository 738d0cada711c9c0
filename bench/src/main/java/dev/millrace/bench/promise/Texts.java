// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/// Cells that several reports have. Stateless.
final class Texts {
    private Texts() {}

    /// Nanoseconds as microseconds, of the measurements in which it happened; a dash if it never did.
    static <T> String micros(List<T> measurements, ToDoubleFunction<T> nanos) {
        double[] micros = measurements.stream()
                .mapToDouble(nanos)
                .filter(value -> value != 0)
                .map(value -> value / 1e3)
                .toArray();
        return micros.length == 0 ? "–" : Cell.of(Spread.of(micros), Texts::digits);
    }

    private static String digits(double value) {
        return String.format(Locale.ROOT, value < 100 ? "%.1f" : "%,.0f", value);
    }

    /// Milliseconds until all was as before an overload.
    static String recovery(List<Overload.Result> results) {
        Spread spread = Spread.of(
                results,
                result -> result.recoveryNanos() == Recovery.NEVER
                        ? Double.POSITIVE_INFINITY
                        : result.recoveryNanos() / 1e6);
        return Cell.of(spread, millis -> Double.isInfinite(millis) ? "not seen" : Cell.whole(millis));
    }

    /// The members of an result.
    static void write(JsonGenerator json, Overload.Result result) throws IOException {
        json.writeNumberField("capacity", result.capacity());
        json.writeNumberField("capacityBefore", result.capacityBefore());
        result.before().write(json, "before");
        result.during().write(json, "during");
        json.writeFieldName("recoveryNanos");
        if (result.recoveryNanos() == Recovery.NEVER) {
            json.writeNull();
        } else {
            json.writeNumber(result.recoveryNanos());
        }
    }
}
