// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import dev.millrace.zoo.payments.Merchant.Category;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Turns a stream of payments into feature rows, point-in-time correct; single-threaded, one instance per stream.
///
/// The row of a payment depends on that payment's own request data and on what was known at its event time: earlier
/// payments, and labels whose own time had come. Later payments, and the payment's own label, cannot change it. Of two
/// payments in the same millisecond the one offered first is the earlier.
///
/// All arithmetic is in double with [StrictMath], and one cast to float ends it, so that rows are equal to the bit on
/// every machine.
public final class PaymentFeatures {
    private static final double DAY_MS = Trend.DAY_MS;
    private static final double LONGEST_GAP_S = 30 * 24 * 3600.0;

    private final List<Customer> customers;
    private final List<Merchant> merchants;
    private final CustomerHistory[] customerHistories;
    private final MerchantHistory[] merchantHistories;
    private final RiskTable risks;
    private long latestMs = Long.MIN_VALUE;

    /// The columns of a row, in order, under the names that the model's metadata carries.
    public enum Column {
        AMOUNT_LOG("ln(1 + EUR)", "amount"),
        AMOUNT_TO_MEAN_LOG("ln ratio", "(1 + amount) / (1 + customer's mean amount so far); 0 without a past"),
        AMOUNT_Z("sd", "amount_log against the customer's mean and sd so far, sd at least 0.2; 0 before payment 3"),
        AMOUNT_TO_MERCHANT_LOG("ln ratio", "amount_log minus the merchant's mean so far; 0 without a past"),
        HOUR_SIN("-1 to 1", "sine of the UTC time of day"),
        HOUR_COS("-1 to 1", "cosine of the UTC time of day"),
        WEEKEND("0 or 1", "Saturday or Sunday in UTC"),
        CARD_PRESENT("0 or 1", "card read at a terminal"),
        FOREIGN_MERCHANT("0 or 1", "merchant's country is not the customer's"),
        COUNTRY_CHANGED("0 or 1", "merchant's country is not that of the customer's previous payment"),
        NEW_MERCHANT("0 or 1", "customer never paid this merchant before"),
        NEW_DEVICE("0 or 1", "device never seen with this customer before"),
        DEVICE_AGE_LOG("ln(1 + days)", "time since the device was first seen with this customer"),
        ACCOUNT_AGE_LOG("ln(1 + days)", "time since the account was opened"),
        HISTORY_LOG("ln(1 + payments)", "customer's payments so far"),
        CATEGORY_RISK("frauds per payment", "known so far in the merchant's category, smoothed"),
        MERCHANT_RISK("frauds per payment", "known so far at the merchant, smoothed towards its category"),
        COUNT_1H("payments", "customer's payments in the hour before"),
        COUNT_24H("payments", "customer's payments in the 24 hours before"),
        SUM_24H_LOG("ln(1 + EUR)", "customer's amounts in the 24 hours before"),
        SINCE_LAST_LOG("ln(1 + s)", "time since the customer's previous payment, at most 30 days"),
        MERCHANT_COUNT_1H("payments", "all payments at the merchant in the hour before");

        private final String unit;
        private final String meaning;

        Column(String unit, String meaning) {
            this.unit = unit;
            this.meaning = meaning;
        }

        /// The name used in model metadata and in the model card.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// Unit of the raw value, which is what the model takes.
        public String unit() {
            return unit;
        }

        /// What the value says, in a few words.
        public String meaning() {
            return meaning;
        }
    }

    /// Starts with an empty past.
    public PaymentFeatures(List<Customer> customers, List<Merchant> merchants) {
        this.customers = List.copyOf(customers);
        this.merchants = List.copyOf(merchants);
        this.customerHistories =
                Stream.generate(CustomerHistory::new).limit(customers.size()).toArray(CustomerHistory[]::new);
        this.merchantHistories =
                Stream.generate(MerchantHistory::new).limit(merchants.size()).toArray(MerchantHistory[]::new);
        this.risks = new RiskTable(this.merchants);
    }

    /// Number of columns.
    public static int size() {
        return Column.values().length;
    }

    /// Names of the columns in order.
    public static List<String> names() {
        return Arrays.stream(Column.values()).map(Column::label).toList();
    }

    /// The row of a payment, whose time must not be before that of any payment offered earlier; then remembers the
    /// payment as part of the past.
    public float[] next(Payment payment) {
        float[] row = new float[size()];
        compute(payment, row);
        observe(payment);
        return row;
    }

    /// Writes the row of a payment without remembering the payment.
    public void compute(Payment payment, float[] row) {
        checkOrder(payment);
        risks.learnUntil(payment.timeMs());
        amounts(payment, row);
        calendar(payment.timeMs(), row);
        novelty(payment, row);
        velocity(payment, row);
    }

    /// Remembers a payment as part of the past; its label will count once the label's time has come.
    public void observe(Payment payment) {
        checkOrder(payment);
        double logAmount = StrictMath.log1p(payment.euros());
        customerHistories[payment.customer()].add(payment, logAmount);
        merchantHistories[payment.merchant()].add(payment, logAmount);
        risks.add(payment);
    }

    Customer customer(int id) {
        return customers.get(id);
    }

    Merchant merchant(int id) {
        return merchants.get(id);
    }

    CustomerHistory history(int customer) {
        return customerHistories[customer];
    }

    MerchantHistory merchantHistory(int merchant) {
        return merchantHistories[merchant];
    }

    /// What is known about fraud at a time, which does not go back.
    RiskTable risks(long nowMs) {
        risks.learnUntil(nowMs);
        return risks;
    }

    private void checkOrder(Payment payment) {
        if (payment.timeMs() < latestMs) {
            throw new IllegalArgumentException("payment " + payment.id() + " at " + payment.timeMs()
                    + " ms comes after one at " + latestMs + " ms: payments must be offered in order of time");
        }
        latestMs = payment.timeMs();
    }

    private void amounts(Payment payment, float[] row) {
        CustomerHistory customer = customerHistories[payment.customer()];
        MerchantHistory merchant = merchantHistories[payment.merchant()];
        double logAmount = StrictMath.log1p(payment.euros());
        double logMean = StrictMath.log1p(customer.meanEuros());
        put(row, Column.AMOUNT_LOG, logAmount);
        put(row, Column.AMOUNT_TO_MEAN_LOG, customer.count() == 0 ? 0 : logAmount - logMean);
        put(row, Column.AMOUNT_Z, customer.zScore(logAmount));
        put(row, Column.AMOUNT_TO_MERCHANT_LOG, merchant.count() == 0 ? 0 : logAmount - merchant.meanLog());
    }

    private static void calendar(long timeMs, float[] row) {
        double angle = 2 * Math.PI * Math.floorMod(timeMs, Trend.DAY_MS) / DAY_MS;
        put(row, Column.HOUR_SIN, StrictMath.sin(angle));
        put(row, Column.HOUR_COS, StrictMath.cos(angle));
        long dayOfWeek = Math.floorMod(Math.floorDiv(timeMs, Trend.DAY_MS) + 3, 7L); // Monday is 0
        put(row, Column.WEEKEND, dayOfWeek >= 5);
    }

    private void novelty(Payment payment, float[] row) {
        CustomerHistory history = customerHistories[payment.customer()];
        Customer customer = customers.get(payment.customer());
        Merchant merchant = merchants.get(payment.merchant());
        Category category = merchant.category();
        Payment last = history.last();
        long now = payment.timeMs();
        put(row, Column.CARD_PRESENT, payment.cardPresent());
        put(row, Column.FOREIGN_MERCHANT, merchant.country() != customer.home());
        put(
                row,
                Column.COUNTRY_CHANGED,
                last != null && merchants.get(last.merchant()).country() != merchant.country());
        put(row, Column.NEW_MERCHANT, !history.knowsMerchant(payment.merchant()));
        put(row, Column.NEW_DEVICE, !history.knowsDevice(payment.device()));
        put(row, Column.DEVICE_AGE_LOG, logDays(now - history.deviceFirstSeenMs(payment.device(), now)));
        put(row, Column.ACCOUNT_AGE_LOG, logDays(now - customer.accountOpenedMs()));
        put(row, Column.HISTORY_LOG, StrictMath.log1p(history.count()));
        put(row, Column.CATEGORY_RISK, risks.category(category));
        put(row, Column.MERCHANT_RISK, risks.merchant(merchant));
    }

    private void velocity(Payment payment, float[] row) {
        CustomerHistory history = customerHistories[payment.customer()];
        long now = payment.timeMs();
        Payment last = history.last();
        double gapSeconds = last == null ? LONGEST_GAP_S : (now - last.timeMs()) / 1000.0;
        put(row, Column.COUNT_1H, history.countSince(now, MerchantHistory.HOUR_MS));
        put(row, Column.COUNT_24H, history.countSince(now, Trend.DAY_MS));
        put(row, Column.SUM_24H_LOG, StrictMath.log1p(history.eurosSince(now, Trend.DAY_MS)));
        put(row, Column.SINCE_LAST_LOG, StrictMath.log1p(Math.min(gapSeconds, LONGEST_GAP_S)));
        put(row, Column.MERCHANT_COUNT_1H, merchantHistories[payment.merchant()].countLastHour(now));
    }

    private static double logDays(long spanMs) {
        return StrictMath.log1p(Math.max(0, spanMs) / DAY_MS);
    }

    private static void put(float[] row, Column column, double value) {
        row[column.ordinal()] = (float) value;
    }

    private static void put(float[] row, Column column, boolean value) {
        row[column.ordinal()] = value ? 1 : 0;
    }
}
