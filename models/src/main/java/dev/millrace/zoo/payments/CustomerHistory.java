// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;

/// What is known about one customer's past payments at one moment; single-threaded, advances with [#add].
final class CustomerHistory {
    private static final double SD_FLOOR = 0.2;

    private final ArrayDeque<Payment> lastDay = new ArrayDeque<>();
    private final Map<Integer, Long> deviceFirstSeenMs = new HashMap<>();
    private final Set<Integer> merchants = new HashSet<>();
    private int count;
    private double meanEuros;
    private double meanLog;
    private double squaresLog;
    private Payment last;

    int count() {
        return count;
    }

    /// Mean amount so far in euros, 0 without a past.
    double meanEuros() {
        return meanEuros;
    }

    /// How many standard deviations ln(1 + euros) is from this customer's mean so far; 0 before the third payment.
    double zScore(double logAmount) {
        if (count < 2) {
            return 0;
        }
        return (logAmount - meanLog) / Math.max(SD_FLOOR, sdLog());
    }

    /// Mean of ln(1 + euros) so far.
    double meanLog() {
        return meanLog;
    }

    /// Standard deviation of ln(1 + euros) so far.
    double sdLog() {
        return Math.sqrt(squaresLog / count);
    }

    /// The merchants that were paid, ascending.
    int[] merchants() {
        return merchants.stream().mapToInt(Integer::intValue).sorted().toArray();
    }

    /// The devices that were seen, ascending.
    int[] devices() {
        return deviceFirstSeenMs.keySet().stream()
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    boolean knowsMerchant(int merchant) {
        return merchants.contains(merchant);
    }

    /// When a device was first seen with this customer; the given time if never.
    long deviceFirstSeenMs(int device, long ifNever) {
        return deviceFirstSeenMs.getOrDefault(device, ifNever);
    }

    boolean knowsDevice(int device) {
        return deviceFirstSeenMs.containsKey(device);
    }

    /// The latest payment, null without a past.
    Payment last() {
        return last;
    }

    /// Payments in the span [now - spanMs, now), which must be at most a day.
    int countSince(long nowMs, long spanMs) {
        int n = 0;
        for (Iterator<Payment> i = lastDay.descendingIterator();
                i.hasNext() && i.next().timeMs() >= nowMs - spanMs; ) {
            n++;
        }
        return n;
    }

    /// Euros paid in the span [now - spanMs, now), which must be at most a day.
    double eurosSince(long nowMs, long spanMs) {
        long cents = 0;
        for (Payment payment : lastDay) {
            cents += payment.timeMs() >= nowMs - spanMs ? payment.amountCents() : 0;
        }
        return cents / 100.0;
    }

    void add(Payment payment, double logAmount) {
        while (!lastDay.isEmpty() && lastDay.peekFirst().timeMs() < payment.timeMs() - Trend.DAY_MS) {
            lastDay.removeFirst();
        }
        lastDay.addLast(payment);
        deviceFirstSeenMs.putIfAbsent(payment.device(), payment.timeMs());
        merchants.add(payment.merchant());
        count++;
        meanEuros += (payment.euros() - meanEuros) / count;
        double delta = logAmount - meanLog;
        meanLog += delta / count;
        squaresLog += delta * (logAmount - meanLog);
        last = payment;
    }
}
