// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.time.DateTimeException;
import java.util.Optional;
import java.util.regex.Pattern;

/// Finds out what the values of a column are that is text, so that nothing of a value is lost by
/// taking it for a number: `007` is a text, and so is a number of twenty digits. Threads: one.
final class TypeGuess {
    private static final Pattern INTEGER = Pattern.compile("-?(0|[1-9][0-9]{0,18})");
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]*)?([eE][-+]?[0-9]{1,3})?");
    private static final Pattern NO_NUMBER = Pattern.compile("NaN|nan|-?(Infinity|inf)");
    private static final Pattern TIME = Pattern.compile("[-+]?[0-9]{4,}-[0-9]{2}-[0-9]{2}T.*");
    /// What doubles tell apart.
    private static final int DIGITS = 17;

    private boolean truths = true;
    private boolean integers = true;
    private boolean numbers = true;
    private boolean times = true;
    private boolean any;
    private boolean anyNumber;
    private String nested;

    /// Looks at a value that is there.
    ///
    /// @param quoted whether it cannot be a number
    void see(String value, boolean quoted) {
        any = true;
        truths = truths && !quoted && (value.equals("true") || value.equals("false"));
        boolean number = !quoted && isNumber(value);
        anyNumber |= number;
        integers = integers && number && isLong(value);
        numbers = numbers && (number || (!quoted && NO_NUMBER.matcher(value).matches()));
        times = times && isTime(value);
    }

    /// Looks at a value that is none of the types.
    void seeNested(String what) {
        nested = what;
    }

    /// What was seen that is none of the types, if nothing else was.
    Optional<String> nested() {
        return any ? Optional.empty() : Optional.ofNullable(nested);
    }

    ColumnType type() {
        if (!any) {
            return ColumnType.STRING;
        }
        if (truths) {
            return ColumnType.BOOL;
        }
        if (integers) {
            return ColumnType.INT64;
        }
        if (numbers && anyNumber) {
            return ColumnType.FLOAT64;
        }
        return times ? ColumnType.TIMESTAMP : ColumnType.STRING;
    }

    private static boolean isNumber(String value) {
        return NUMBER.matcher(value).matches() && (isLong(value) || digits(value) <= DIGITS);
    }

    private static long digits(String value) {
        String mantissa = value.split("[eE]", 2)[0].replaceFirst("^-?0*\\.?0*", "");
        return mantissa.chars().filter(c -> c >= '0' && c <= '9').count();
    }

    private static boolean isLong(String value) {
        if (!INTEGER.matcher(value).matches()) {
            return false;
        }
        try {
            Long.parseLong(value);
            return true;
        } catch (NumberFormatException _) {
            return false;
        }
    }

    private static boolean isTime(String value) {
        if (!TIME.matcher(value).matches()) {
            return false;
        }
        try {
            TextValues.micros(value);
            return true;
        } catch (DateTimeException | ArithmeticException _) {
            return false;
        }
    }
}
