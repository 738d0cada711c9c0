// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import dev.millrace.zoo.payments.Merchant.Category;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/// Known fraud per payment, by category and by merchant; single-threaded.
///
/// A payment counts as soon as it has happened, its verdict only once the label's own time has come. Rates are smoothed
/// towards a prior, so that one fraud at a new merchant does not read as 100 %.
final class RiskTable {
    private static final double PRIOR = 0.005;
    private static final double PRIOR_PAYMENTS_CATEGORY = 500;
    private static final double PRIOR_PAYMENTS_MERCHANT = 100;

    private final List<Merchant> merchants;
    private final long[] categoryPayments = new long[Category.values().length];
    private final long[] categoryFrauds = new long[Category.values().length];
    private final long[] merchantPayments;
    private final long[] merchantFrauds;
    private final PriorityQueue<Payment> complaintsToCome = new PriorityQueue<>(
            Comparator.comparingLong(payment -> payment.label().availableMs()));

    RiskTable(List<Merchant> merchants) {
        this.merchants = merchants;
        this.merchantPayments = new long[merchants.size()];
        this.merchantFrauds = new long[merchants.size()];
    }

    /// Takes in every verdict that can be known at the given time.
    void learnUntil(long nowMs) {
        while (!complaintsToCome.isEmpty() && complaintsToCome.peek().label().availableMs() <= nowMs) {
            int merchant = complaintsToCome.poll().merchant();
            merchantFrauds[merchant]++;
            categoryFrauds[merchants.get(merchant).category().ordinal()]++;
        }
    }

    void add(Payment payment) {
        merchantPayments[payment.merchant()]++;
        categoryPayments[merchants.get(payment.merchant()).category().ordinal()]++;
        if (payment.label().fraud()) {
            complaintsToCome.add(payment);
        }
    }

    /// Known frauds per payment of a category, 0 to 1.
    double category(Category category) {
        int c = category.ordinal();
        return (categoryFrauds[c] + PRIOR_PAYMENTS_CATEGORY * PRIOR) / (categoryPayments[c] + PRIOR_PAYMENTS_CATEGORY);
    }

    /// Known frauds per payment of a merchant, smoothed towards its category, 0 to 1.
    double merchant(Merchant merchant) {
        double prior = category(merchant.category());
        return (merchantFrauds[merchant.id()] + PRIOR_PAYMENTS_MERCHANT * prior)
                / (merchantPayments[merchant.id()] + PRIOR_PAYMENTS_MERCHANT);
    }
}
