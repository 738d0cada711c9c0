// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.function.Predicate;

/// The features again, from their definitions and the whole list, without any running state: slow and independent.
final class PlainFeatures {
    private static final double HOUR = 3_600_000;
    private static final double DAY = 24 * HOUR;

    private final List<Customer> customers;
    private final List<Merchant> merchants;
    private final List<Payment> payments;

    PlainFeatures(List<Customer> customers, List<Merchant> merchants, List<Payment> payments) {
        this.customers = customers;
        this.merchants = merchants;
        this.payments = payments;
    }

    float[] row(int index) {
        Payment p = payments.get(index);
        Customer customer = customers.get(p.customer());
        Merchant merchant = merchants.get(p.merchant());
        List<Payment> before = payments.subList(0, index);
        List<Payment> own =
                before.stream().filter(o -> o.customer() == p.customer()).toList();
        List<Payment> there =
                before.stream().filter(o -> o.merchant() == p.merchant()).toList();
        Payment last = own.isEmpty() ? null : own.getLast();
        ZonedDateTime time = Instant.ofEpochMilli(p.timeMs()).atZone(ZoneOffset.UTC);
        double hour = time.toLocalTime().toNanoOfDay() / (HOUR * 1e6) / 24 * 2 * Math.PI;
        double logAmount = Math.log1p(p.euros());
        long deviceSeen = own.stream()
                .filter(o -> o.device() == p.device())
                .mapToLong(Payment::timeMs)
                .min()
                .orElse(p.timeMs());
        double categoryRisk =
                rate(before, p, o -> merchants.get(o.merchant()).category() == merchant.category(), 500, 0.005);
        return floats(
                logAmount,
                logAmount
                        - own.stream().mapToDouble(Payment::euros).average().stream()
                                .map(Math::log1p)
                                .findFirst()
                                .orElse(logAmount),
                zScore(own, logAmount),
                there.isEmpty() ? 0 : logAmount - meanLog(there),
                Math.sin(hour),
                Math.cos(hour),
                time.getDayOfWeek().getValue() >= DayOfWeek.SATURDAY.getValue() ? 1 : 0,
                p.cardPresent() ? 1 : 0,
                merchant.country() == customer.home() ? 0 : 1,
                last == null || merchants.get(last.merchant()).country() == merchant.country() ? 0 : 1,
                own.stream().anyMatch(o -> o.merchant() == p.merchant()) ? 0 : 1,
                own.stream().anyMatch(o -> o.device() == p.device()) ? 0 : 1,
                Math.log1p((p.timeMs() - deviceSeen) / DAY),
                Math.log1p((p.timeMs() - customer.accountOpenedMs()) / DAY),
                Math.log1p(own.size()),
                categoryRisk,
                rate(before, p, o -> o.merchant() == p.merchant(), 100, categoryRisk),
                (double) own.stream()
                        .filter(o -> p.timeMs() - o.timeMs() <= HOUR)
                        .count(),
                (double)
                        own.stream().filter(o -> p.timeMs() - o.timeMs() <= DAY).count(),
                Math.log1p(own.stream()
                        .filter(o -> p.timeMs() - o.timeMs() <= DAY)
                        .mapToDouble(Payment::euros)
                        .sum()),
                Math.log1p(last == null ? 30 * 86400 : Math.min(30 * 86400, (p.timeMs() - last.timeMs()) / 1e3)),
                (double) there.stream()
                        .filter(o -> p.timeMs() - o.timeMs() <= HOUR)
                        .count());
    }

    private static double rate(List<Payment> before, Payment p, Predicate<Payment> group, double weight, double prior) {
        double frauds = before.stream()
                .filter(group)
                .filter(o -> o.label().fraud() && o.label().availableMs() <= p.timeMs())
                .count();
        return (frauds + weight * prior) / (before.stream().filter(group).count() + weight);
    }

    private static double meanLog(List<Payment> payments) {
        return payments.stream()
                .mapToDouble(o -> Math.log1p(o.euros()))
                .average()
                .orElse(0);
    }

    private static double zScore(List<Payment> own, double logAmount) {
        if (own.size() < 2) {
            return 0;
        }
        double mean = meanLog(own);
        double variance = own.stream()
                .mapToDouble(o -> Math.pow(Math.log1p(o.euros()) - mean, 2))
                .average()
                .orElse(0);
        return (logAmount - mean) / Math.max(0.2, Math.sqrt(variance));
    }

    private static float[] floats(double... values) {
        float[] row = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            row[i] = (float) values[i];
        }
        return row;
    }
}
