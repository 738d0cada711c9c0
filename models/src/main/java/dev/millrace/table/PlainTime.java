// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

/// Times as they mostly are written, `2026-01-31T12:00:00Z` with or without decimals, read digit by
/// digit; all others are somebody else's.
///
/// Threads: stateless.
final class PlainTime {
    /// What is no such time.
    static final long OTHER = Long.MIN_VALUE;

    private static final String SHAPE = "0000-00-00T00:00:00";
    private static final int MOST_DECIMALS = 9;
    private static final int MICRO_DECIMALS = 6;
    private static final int HOURS = 24;
    private static final int SIXTY = 60;
    private static final long SECONDS_PER_DAY = 86_400;
    private static final int[] DAYS_BEFORE = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    private static final int EPOCH_YEAR = 1970;

    private PlainTime() {}

    /// The microseconds since 1970, cut off; [#OTHER] if it is written otherwise, or is no time.
    static long micros(String text) {
        int end = text.length() - 1;
        if (end < SHAPE.length() || text.charAt(end) != 'Z' || !hasShape(text)) {
            return OTHER;
        }
        int year = number(text, 0, 4);
        int month = number(text, 5, 7);
        int day = number(text, 8, 10);
        int hour = number(text, 11, 13);
        int minute = number(text, 14, 16);
        int second = number(text, 17, 19);
        long fraction = fraction(text, end);
        boolean isTime = hour < HOURS && minute < SIXTY && second < SIXTY && fraction >= 0;
        if (!isTime || month < 1 || month > 12 || day < 1 || day > length(year, month)) {
            return OTHER;
        }
        long seconds = epochDay(year, month, day) * SECONDS_PER_DAY + (hour * (long) SIXTY + minute) * SIXTY + second;
        return seconds * 1_000_000 + fraction;
    }

    private static boolean hasShape(String text) {
        for (int i = 0; i < SHAPE.length(); i++) {
            char c = text.charAt(i);
            boolean fits = SHAPE.charAt(i) == '0' ? isDigit(c) : c == SHAPE.charAt(i);
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    /// The microseconds between the seconds and the end; -1 if something else is there.
    private static long fraction(String text, int end) {
        int start = SHAPE.length() + 1;
        if (end == SHAPE.length()) {
            return 0;
        }
        if (text.charAt(SHAPE.length()) != '.' || end - start < 1 || end - start > MOST_DECIMALS) {
            return -1;
        }
        long micros = 0;
        for (int i = start; i < end; i++) {
            if (!isDigit(text.charAt(i))) {
                return -1;
            }
            micros = i - start < MICRO_DECIMALS ? 10 * micros + text.charAt(i) - '0' : micros;
        }
        for (int i = end - start; i < MICRO_DECIMALS; i++) {
            micros *= 10;
        }
        return micros;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static int number(String text, int from, int end) {
        int number = 0;
        for (int i = from; i < end; i++) {
            number = 10 * number + text.charAt(i) - '0';
        }
        return number;
    }

    private static boolean isLeap(int year) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    }

    private static int length(int year, int month) {
        return DAYS_BEFORE[month] - DAYS_BEFORE[month - 1] + (month == 2 && isLeap(year) ? 1 : 0);
    }

    private static long epochDay(int year, int month, int day) {
        int leaps = leapsBefore(year) - leapsBefore(EPOCH_YEAR);
        int thisYear = DAYS_BEFORE[month - 1] + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
        return (year - EPOCH_YEAR) * 365L + leaps + thisYear;
    }

    /// How many years before this one, from year 0 on, were leap years.
    private static int leapsBefore(int year) {
        int last = year - 1;
        return last < 0 ? 0 : last / 4 - last / 100 + last / 400 + 1;
    }
}
