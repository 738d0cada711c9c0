// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import dev.millrace.zoo.payments.Payment;
import dev.millrace.zoo.payments.PaymentFeatures;
import dev.millrace.zoo.payments.PaymentSimulator;
import dev.millrace.zoo.payments.PaymentViews;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/// Writes what is known at the end of the simulation about some customers and all merchants, as files that a feature
/// store is filled from: `models/payments/fraud/data` unless named. Single-threaded; the same bytes on every machine.
public final class FraudStore {
    private static final int CUSTOMERS = 50;

    private FraudStore() {}

    /// Writes the files.
    public static void main(String[] args) throws IOException {
        write(Path.of(args.length > 0 ? args[0] : "models/payments/fraud/data"), PaymentSimulator.Settings.DEFAULT);
    }

    static void write(Path folder, PaymentSimulator.Settings settings) throws IOException {
        PaymentSimulator simulator = new PaymentSimulator(settings);
        PaymentFeatures features = new PaymentFeatures(simulator.customers(), simulator.merchants());
        long now = 0;
        while (simulator.hasNext()) {
            Payment payment = simulator.next();
            features.observe(payment);
            now = payment.timeMs();
        }
        PaymentViews views = new PaymentViews(features);
        List<Map<String, Object>> customers = new ArrayList<>();
        List<Map<String, Object>> merchants = new ArrayList<>();
        List<Map<String, Object>> knownMerchants = new ArrayList<>();
        List<Map<String, Object>> knownDevices = new ArrayList<>();
        for (int id = 0; id < CUSTOMERS; id++) {
            customers.add(views.customer(id, now));
            knownMerchants.addAll(views.knownMerchants(id));
            knownDevices.addAll(views.knownDevices(id));
        }
        for (int id = 0; id < settings.merchants(); id++) {
            merchants.add(views.merchant(id, now));
        }
        write(folder.resolve("customers.csv"), now, customers);
        write(folder.resolve("merchants.csv"), now, merchants);
        write(folder.resolve("known_merchants.csv"), now, knownMerchants);
        write(folder.resolve("known_devices.csv"), now, knownDevices);
    }

    private static void write(Path file, long nowMs, List<Map<String, Object>> rows) throws IOException {
        StringBuilder text = new StringBuilder();
        text.append(String.join(",", rows.getFirst().keySet())).append(",seen_at\n");
        for (Map<String, Object> row : rows) {
            String values = row.values().stream()
                    .map(value -> Objects.toString(value, ""))
                    .collect(Collectors.joining(","));
            text.append(values).append(',').append(nowMs * 1000).append('\n');
        }
        Files.writeString(file, text);
    }
}
