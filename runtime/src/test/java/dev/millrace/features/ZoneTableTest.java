// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.spec.DatePart;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.zone.ZoneOffsetTransition;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZoneTableTest {
    private static final Instant END = Instant.parse("2200-01-01T00:00:00Z");

    private static void check(ZoneTable table, ZoneId zone, long seconds) {
        ZonedDateTime time = Instant.ofEpochSecond(seconds).atZone(zone);
        long micros = seconds * 1_000_000;
        assertThat(table.part(DatePart.SECOND_OF_DAY, micros))
                .as("second of the day of %s", time)
                .isEqualTo(time.toLocalTime().toSecondOfDay());
        assertThat(table.part(DatePart.EPOCH_DAY, micros))
                .as("day of %s", time)
                .isEqualTo(time.toLocalDate().toEpochDay());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "+05:30"})
    void shouldShowWhatClocksShowAroundEveryChange(String name) {
        ZoneId zone = ZoneId.of(name);
        ZoneTable table = new ZoneTable(zone);
        check(table, zone, 0);
        Instant from = Instant.MIN;
        int changes = 0;
        while (!zone.getRules().isFixedOffset()) {
            ZoneOffsetTransition change = zone.getRules().nextTransition(from);
            if (change == null || !change.getInstant().isBefore(END)) {
                break;
            }
            for (int off = -2; off <= 2; off++) {
                check(table, zone, change.toEpochSecond() + off);
            }
            from = change.getInstant();
            changes++;
        }
        assertThat(changes > 0).isEqualTo(!zone.getRules().isFixedOffset());
    }

    /// The calendar on days from the year -4000 to 8000, by every part of a date.
    @Test
    void shouldCountDaysAsTheCalendarDoes() {
        ZoneTable table = new ZoneTable(ZoneOffset.UTC);
        SplittableRandom random = new SplittableRandom(20261123);
        for (int i = 0; i < 200_000; i++) {
            long day = random.nextLong(-2_180_000, 2_202_000);
            ZonedDateTime time = Instant.ofEpochSecond(day * 86_400).atZone(ZoneOffset.UTC);
            long micros = day * 86_400_000_000L;
            assertThat(table.part(DatePart.YEAR, micros)).as("year of %s", time).isEqualTo(time.getYear());
            assertThat(table.part(DatePart.MONTH, micros))
                    .as("month of %s", time)
                    .isEqualTo(time.getMonthValue());
            assertThat(table.part(DatePart.DAY_OF_MONTH, micros))
                    .as("day of %s", time)
                    .isEqualTo(time.getDayOfMonth());
            assertThat(table.part(DatePart.DAY_OF_YEAR, micros))
                    .as("day of %s", time)
                    .isEqualTo(time.getDayOfYear());
            assertThat(table.part(DatePart.DAY_OF_WEEK, micros))
                    .as("day of the week of %s", time)
                    .isEqualTo(time.getDayOfWeek().getValue() - 1);
        }
    }
}
