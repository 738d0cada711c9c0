// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.Locale;

/// Numbers for people. Threads: any.
final class Figures {
    private static final double THREE_DIGITS = 100;

    private Figures() {}

    /// A time in the unit that suits it, with three digits or so: `71.2 us`, `1.24 ms`, `12.0 s`.
    static String time(long nanos) {
        if (nanos < 1e6) {
            return digits(nanos / 1e3) + " us";
        }
        return nanos < 1e9 ? digits(nanos / 1e6) + " ms" : digits(nanos / 1e9) + " s";
    }

    private static String digits(double value) {
        String format = value >= THREE_DIGITS ? "%.0f" : value >= THREE_DIGITS / 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }

    /// A time without useless digits: `500 us`, `2 ms`, `1.5 ms`, `10 s`.
    static String round(long nanos) {
        return time(nanos).replaceFirst("\\.(\\d*?)0+ ", ".$1 ").replace(". ", " ");
    }

    /// A count with separators: `20,012`.
    static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /// A rate with separators: `20,012`; with a digit after the point below 100.
    static String count(double value) {
        boolean whole = value >= THREE_DIGITS || value == Math.rint(value);
        return String.format(Locale.ROOT, whole ? "%,.0f" : "%,.1f", value);
    }
}
