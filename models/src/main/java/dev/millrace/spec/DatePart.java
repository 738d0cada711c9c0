// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// A part of a point in time in a time zone, a whole number.
public enum DatePart {
    /// 0 to 59.
    SECOND("second", 60),
    /// 0 to 59.
    MINUTE("minute", 60),
    /// 0 to 23.
    HOUR("hour", 24),
    /// 0 to 1439.
    MINUTE_OF_DAY("minute_of_day", 1440),
    /// 0 to 86399.
    SECOND_OF_DAY("second_of_day", 86_400),
    /// Monday is 0, as in pandas.
    DAY_OF_WEEK("day_of_week", 7),
    /// 1 to 31.
    DAY_OF_MONTH("day_of_month", 0),
    /// 1 to 366.
    DAY_OF_YEAR("day_of_year", 0),
    /// 1 to 12.
    MONTH("month", 12),
    /// Of the calendar in use today, also before it was.
    YEAR("year", 0),
    /// Days since 1970-01-01 in the time zone.
    EPOCH_DAY("epoch_day", 0);

    private final String word;
    private final int period;

    DatePart(String word, int period) {
        this.word = word;
        this.period = period;
    }

    /// How the file calls it.
    public String word() {
        return word;
    }

    /// After how many it begins again; 0 if that is not always the same or never.
    public int period() {
        return period;
    }
}
