// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import dev.millrace.zoo.payments.Merchant.Category;
import java.time.Duration;

/// What changes over the simulated weeks: prices creep up all the time, and in the last three weeks spending moves from
/// shops to digital goods while fraud moves from card testing to account takeover. Immutable.
final class Trend {
    static final long DAY_MS = Duration.ofDays(1).toMillis();
    static final int SHIFT_DAYS = 21;

    private static final double PRICE_RISE_PER_DAY = 0.0008;
    private static final double RAMP_DAYS = 10;

    private final long startMs;
    private final int days;

    Trend(long startMs, int days) {
        this.startMs = startMs;
        this.days = days;
    }

    /// Factor on every honest price.
    double priceFactor(long nowMs) {
        return 1 + PRICE_RISE_PER_DAY * day(nowMs);
    }

    /// 0 until three weeks before the end, then rising to 1 within ten days.
    double shift(long nowMs) {
        return Math.clamp((day(nowMs) - (days - SHIFT_DAYS)) / RAMP_DAYS, 0.0, 1.0);
    }

    /// Factor on a category's popularity.
    double categoryFactor(Category category, long nowMs) {
        double shift = shift(nowMs);
        return switch (category) {
            case DIGITAL, GAMING -> 1 + 0.9 * shift;
            case FASHION, RESTAURANT, HOME -> 1 - 0.4 * shift;
            default -> 1;
        };
    }

    private double day(long nowMs) {
        return (nowMs - startMs) / (double) DAY_MS;
    }
}
