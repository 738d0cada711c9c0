// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.Locale;
import java.util.OptionalDouble;

/// Numbers for people. Stateless.
public final class Figures {
    private Figures() {}

    /// An integer with commas.
    public static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// A time in nanoseconds, with three digits that count.
    public static String time(double nanos) {
        if (nanos < 999.5) {
            return digits(nanos) + " ns";
        }
        if (nanos < 999.5e3) {
            return digits(nanos / 1e3) + " us";
        }
        return nanos < 999.5e6 ? digits(nanos / 1e6) + " ms" : digits(nanos / 1e9) + " s";
    }

    /// A number with three digits that count, or a dash for NaN.
    public static String digits(double number) {
        if (Double.isNaN(number)) {
            return "-";
        }
        if (number == 0 || !Double.isFinite(number)) {
            return number == 0 ? "0" : Double.toString(number);
        }
        double size = Math.abs(number);
        if (size < 1e-3 || size >= 1e6) {
            return String.format(Locale.ROOT, "%.2e", number);
        }
        int places = Math.max(0, 2 - (int) Math.floor(Math.log10(size)));
        return String.format(Locale.ROOT, "%." + places + "f", number);
    }

    /// A share of one with four places, or a dash if there is none.
    public static String share(OptionalDouble share) {
        return share.isEmpty() ? "-" : String.format(Locale.ROOT, "%.4f", share.getAsDouble());
    }

    /// A share in percent.
    public static String percent(double share) {
        return share == 0 ? "0 %" : digits(100 * share) + " %";
    }
}
