// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.util.ArrayDeque;

/// What is known about one merchant's past payments at one moment; single-threaded, advances with [#add].
final class MerchantHistory {
    static final long HOUR_MS = Trend.DAY_MS / 24;

    private final ArrayDeque<Payment> lastHour = new ArrayDeque<>();
    private int count;
    private double meanLog;

    int count() {
        return count;
    }

    /// Mean of ln(1 + euros) so far.
    double meanLog() {
        return meanLog;
    }

    /// Payments in [now - 1 h, now). Forgets what is older: time only goes forward.
    int countLastHour(long nowMs) {
        while (!lastHour.isEmpty() && lastHour.peekFirst().timeMs() < nowMs - HOUR_MS) {
            lastHour.removeFirst();
        }
        return lastHour.size();
    }

    void add(Payment payment, double logAmount) {
        countLastHour(payment.timeMs());
        lastHour.addLast(payment);
        count++;
        meanLog += (logAmount - meanLog) / count;
    }
}
