// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.spec.DatePart;
import dev.millrace.spec.ValueKind;
import java.time.Instant;
import java.time.ZoneId;

/// Parts of times, by whole numbers alone.
///
/// Threads: one.
final class TimeNodes {
    private static final int MICROS = 1_000_000;
    private static final int DAY_SECONDS = 86_400;
    /// Days from 0000-03-01 to 1970-01-01, and in 400 years of the calendar.
    private static final int DAYS_TO_EPOCH = 719_468;

    private static final int ERA_DAYS = 146_097;

    private final Nodes nodes;

    TimeNodes(Nodes nodes) {
        this.nodes = nodes;
    }

    /// Writes a part of a time as clocks show it in a zone of one offset.
    Value part(DatePart part, ZoneId zone, Value time) {
        int offset = zone.getRules().getOffset(Instant.EPOCH).getTotalSeconds();
        String seconds = plus(floorDiv(time.name(), MICROS), offset);
        String day = floorDiv(seconds, DAY_SECONDS);
        String second = nodes.binary("Sub", seconds, times(day, DAY_SECONDS));
        String made = switch (part) {
            case SECOND -> modulo(second, 60);
            case MINUTE -> modulo(divided(second, 60), 60);
            case HOUR -> divided(second, 3600);
            case MINUTE_OF_DAY -> divided(second, 60);
            case SECOND_OF_DAY -> second;
            case DAY_OF_WEEK -> modulo(plus(day, 3), 7);
            case EPOCH_DAY -> day;
            default -> ofDate(part, day);
        };
        return time.as(made, ValueKind.INTEGER);
    }

    /// A part of a date. Years are counted from March on, so that the day which not every year has
    /// is the last.
    private String ofDate(DatePart part, String epochDay) {
        String shifted = plus(epochDay, DAYS_TO_EPOCH);
        String era = floorDiv(shifted, ERA_DAYS);
        String inEra = nodes.binary("Sub", shifted, times(era, ERA_DAYS));
        String leapDays = nodes.binary(
                "Sub", nodes.binary("Sub", divided(inEra, 36_524), divided(inEra, 1460)), divided(inEra, 146_096));
        String yearOfEra = divided(nodes.binary("Add", inEra, leapDays), 365);
        String daysBefore = nodes.binary(
                "Sub", nodes.binary("Add", times(yearOfEra, 365), divided(yearOfEra, 4)), divided(yearOfEra, 100));
        String dayOfYear = nodes.binary("Sub", inEra, daysBefore);
        String march = divided(plus(times(dayOfYear, 5), 2), 153);
        if (part == DatePart.DAY_OF_MONTH) {
            String monthBegins = divided(plus(times(march, 153), 2), 5);
            return plus(nodes.binary("Sub", dayOfYear, monthBegins), 1);
        }
        String before = nodes.binary("Less", march, nodes.whole(10));
        if (part == DatePart.MONTH) {
            return nodes.where(before, plus(march, 3), plus(march, -9));
        }
        String thisYear = nodes.binary("Add", times(era, 400), yearOfEra);
        String year = nodes.where(before, thisYear, plus(thisYear, 1));
        if (part == DatePart.YEAR) {
            return year;
        }
        String fromMarch = nodes.binary("Add", plus(dayOfYear, 60), leap(year));
        return nodes.where(before, fromMarch, plus(dayOfYear, -305));
    }

    /// 1 in a leap year, else 0.
    private String leap(String year) {
        String fourth = isMultiple(year, 4);
        String century = nodes.butNot(isMultiple(year, 100), isMultiple(year, 400));
        return nodes.cast(nodes.butNot(fourth, century), ElementType.INT64);
    }

    private String isMultiple(String x, long of) {
        return nodes.binary("Equal", modulo(x, of), nodes.whole(0));
    }

    private String plus(String x, long y) {
        return y == 0 ? x : nodes.binary("Add", x, nodes.whole(y));
    }

    private String times(String x, long y) {
        return nodes.binary("Mul", x, nodes.whole(y));
    }

    /// Towards 0, as `Div` does.
    private String divided(String x, long by) {
        return nodes.binary("Div", x, nodes.whole(by));
    }

    /// Not negative.
    private String modulo(String x, long by) {
        return nodes.binary("Mod", x, nodes.whole(by));
    }

    private String floorDiv(String x, long by) {
        String towardsZero = divided(x, by);
        String rest = nodes.binary("Sub", x, times(towardsZero, by));
        String one = nodes.cast(nodes.binary("Less", rest, nodes.whole(0)), ElementType.INT64);
        return nodes.binary("Sub", towardsZero, one);
    }
}
