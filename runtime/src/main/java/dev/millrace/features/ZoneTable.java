// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.DatePart;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.List;

/// What a time zone's clocks show, without objects: all changes of its offset until the year 2200
/// are looked up in an array. After that the last offset stays.
///
/// Threads: any; it does not change.
final class ZoneTable {
    private static final long END = LocalDate.of(2200, 1, 1).atStartOfDay().toEpochSecond(ZoneOffset.UTC);
    private static final int MICROS = 1_000_000;
    private static final int DAY_SECONDS = 86_400;
    /// Days from 0000-03-01 to 1970-01-01.
    private static final int DAYS_TO_EPOCH = 719_468;
    /// Days in 400, 100 and 4 years of the calendar.
    private static final int ERA_DAYS = 146_097;

    private final long[] changes;
    private final int[] offsets;

    ZoneTable(ZoneId zone) {
        ZoneRules rules = zone.getRules();
        List<ZoneOffsetTransition> all = new ArrayList<>();
        ZoneOffsetTransition next = rules.isFixedOffset() ? null : rules.nextTransition(Instant.MIN);
        while (next != null && next.toEpochSecond() < END) {
            all.add(next);
            next = rules.nextTransition(next.getInstant());
        }
        changes = new long[all.size()];
        offsets = new int[all.size() + 1];
        offsets[0] = rules.getOffset(Instant.MIN).getTotalSeconds();
        for (int i = 0; i < changes.length; i++) {
            changes[i] = all.get(i).toEpochSecond();
            offsets[i + 1] = all.get(i).getOffsetAfter().getTotalSeconds();
        }
    }

    /// A part of a time.
    ///
    /// @param micros since 1970
    @Hot
    long part(DatePart part, long micros) {
        long seconds = Math.floorDiv(micros, MICROS);
        long local = seconds + offsets[changesUpTo(seconds)];
        long day = Math.floorDiv(local, (long) DAY_SECONDS);
        long second = local - day * DAY_SECONDS;
        return switch (part) {
            case SECOND -> second % 60;
            case MINUTE -> second / 60 % 60;
            case HOUR -> second / 3600;
            case MINUTE_OF_DAY -> second / 60;
            case SECOND_OF_DAY -> second;
            case DAY_OF_WEEK -> Math.floorMod(day + 3, 7L);
            case EPOCH_DAY -> day;
            default -> ofDate(part, day);
        };
    }

    /// How many changes there were up to a time.
    @Hot
    private int changesUpTo(long seconds) {
        int low = 0;
        int high = changes.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (changes[middle] <= seconds) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /// A part of a date. Years are counted from March on, so that the day which not every year has
    /// is the last.
    @Hot
    private static long ofDate(DatePart part, long epochDay) {
        long shifted = epochDay + DAYS_TO_EPOCH;
        long era = Math.floorDiv(shifted, (long) ERA_DAYS);
        long inEra = shifted - era * ERA_DAYS;
        long yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365;
        long dayOfYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        long march = (5 * dayOfYear + 2) / 153;
        long month = march < 10 ? march + 3 : march - 9;
        long year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
        return switch (part) {
            case YEAR -> year;
            case MONTH -> month;
            case DAY_OF_MONTH -> dayOfYear - (153 * march + 2) / 5 + 1;
            default -> month <= 2 ? dayOfYear - 305 : dayOfYear + 60 + (isLeap(year) ? 1 : 0);
        };
    }

    @Hot
    private static boolean isLeap(long year) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    }
}
