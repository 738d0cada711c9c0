// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What is known at a moment about who pays and who is paid, as a feature store has it: the part of a row of
/// [PaymentFeatures] that does not come with the payment. Single-threaded, on the past of one stream.
///
/// Values are Long, Double, String or Boolean, times in microseconds since 1970; null where there is no past.
public final class PaymentViews {
    private static final long MICROS = 1000;

    private final PaymentFeatures features;

    /// On the past that `features` has observed.
    public PaymentViews(PaymentFeatures features) {
        this.features = features;
    }

    /// The rows that tell of those of a payment, by the names of views; a pair that is new has none.
    public Map<String, Map<String, Object>> of(Payment payment) {
        Map<String, Map<String, Object>> rows = new LinkedHashMap<>();
        rows.put("customers", customer(payment.customer(), payment.timeMs()));
        rows.put("merchants", merchant(payment.merchant(), payment.timeMs()));
        CustomerHistory history = features.history(payment.customer());
        if (history.knowsMerchant(payment.merchant())) {
            rows.put("known_merchants", knownMerchant(payment.customer(), payment.merchant()));
        }
        if (history.knowsDevice(payment.device())) {
            rows.put("known_devices", knownDevice(payment.customer(), payment.device()));
        }
        return rows;
    }

    /// What is known about a customer.
    public Map<String, Object> customer(int id, long nowMs) {
        Customer customer = features.customer(id);
        CustomerHistory history = features.history(id);
        boolean past = history.count() > 0;
        boolean usual = history.count() > 1;
        Payment last = history.last();
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("customer_id", (long) id);
        row.put("home", customer.home().name());
        row.put("opened", customer.accountOpenedMs() * MICROS);
        row.put("payments", (long) history.count());
        row.put("mean", past ? (Object) history.meanEuros() : null);
        row.put("log_mean", usual ? (Object) history.meanLog() : null);
        row.put("log_sd", usual ? (Object) history.sdLog() : null);
        row.put("last_payment", past ? (Object) (last.timeMs() * MICROS) : null);
        row.put(
                "last_country",
                past ? features.merchant(last.merchant()).country().name() : null);
        row.put("count_1h", (long) history.countSince(nowMs, MerchantHistory.HOUR_MS));
        row.put("count_24h", (long) history.countSince(nowMs, Trend.DAY_MS));
        row.put("sum_24h", history.eurosSince(nowMs, Trend.DAY_MS));
        return row;
    }

    /// What is known about a merchant; time only goes forward.
    public Map<String, Object> merchant(int id, long nowMs) {
        Merchant merchant = features.merchant(id);
        MerchantHistory history = features.merchantHistory(id);
        RiskTable risks = features.risks(nowMs);
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("merchant_id", (long) id);
        row.put("country", merchant.country().name());
        row.put("log_mean", history.count() > 0 ? (Object) history.meanLog() : null);
        row.put("category_risk", risks.category(merchant.category()));
        row.put("merchant_risk", risks.merchant(merchant));
        row.put("count_1h", (long) history.countLastHour(nowMs));
        return row;
    }

    /// What is known about each merchant that a customer has paid.
    public List<Map<String, Object>> knownMerchants(int customer) {
        return Arrays.stream(features.history(customer).merchants())
                .mapToObj(merchant -> knownMerchant(customer, merchant))
                .toList();
    }

    /// What is known about each device that a customer has paid with.
    public List<Map<String, Object>> knownDevices(int customer) {
        return Arrays.stream(features.history(customer).devices())
                .mapToObj(device -> knownDevice(customer, device))
                .toList();
    }

    private static Map<String, Object> knownMerchant(int customer, int merchant) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("customer_merchant", customer + ":" + merchant);
        row.put("new", false);
        return row;
    }

    private Map<String, Object> knownDevice(int customer, int device) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("customer_device", customer + ":" + device);
        row.put("new", false);
        row.put("first_seen", features.history(customer).deviceFirstSeenMs(device, 0) * MICROS);
        return row;
    }
}
